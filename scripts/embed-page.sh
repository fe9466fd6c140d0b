#!/bin/bash
# embed-page.sh UI_DIRECTORY CHART_JS OUTPUT: makes the status page one HTML document that needs
# nothing else, and writes it as a C file (src/surfaces/http/ui/page.h), plain and compressed. Its
# content security policy names each script and style by its hash, so that nothing else runs,
# no matter what data the page shows.
set -euo pipefail
ui=$1 chart_js=$2 output=$3

work=$(mktemp -d "$output.XXXXXX")
trap 'rm -rf "$work"' EXIT

cp "$chart_js" "$work/chart.js"
cat "$ui"/{colors,parts,page}.css >"$work/page.css"
for name in format dom connection charts overview query care program main; do # each uses those before it
    cat "$ui/$name.js"
done >"$work/page.js"

if grep -inE '</(script|style)|<!--' "$work"/*; then
    echo "embed-page.sh: these lines would end the element that they are put into" >&2
    exit 1
fi

# A line <TAG>@FILE@</TAG> of the document becomes the element with that file in it.
inlined='^(<.*>)@(.*)@(<.*>)$'
while IFS= read -r line; do
    if [[ $line =~ $inlined ]]; then
        printf '%s' "${BASH_REMATCH[1]}"
        cat "$work/${BASH_REMATCH[2]}"
        printf '%s\n' "${BASH_REMATCH[3]}"
    else
        printf '%s\n' "$line"
    fi
done <"$ui/page.html" >"$work/page"
gzip -9nc "$work/page" >"$work/page.gz"

hash_of() {
    printf "'sha256-%s'" "$(sha256sum "$1" | cut -c-64 | tr a-f A-F | basenc --base16 -d | base64)"
}

array() { # NAME FILE
    echo "static const unsigned char $1[] = {"
    od -An -v -tx1 "$2" | sed 's/ \(..\)/0x\1,/g'
    echo "};"
}

{
    echo '/* Made by scripts/embed-page.sh. */'
    echo '#include "surfaces/http/ui/page.h"'
    array plain "$work/page"
    array compressed "$work/page.gz"
    cat <<EOF
const struct page_document page_document = {
    .bytes = plain,
    .size = sizeof plain,
    .gzip_bytes = compressed,
    .gzip_size = sizeof compressed,
    .security_policy =
        "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'; "
        "script-src $(hash_of "$work/chart.js") $(hash_of "$work/page.js"); "
        "style-src $(hash_of "$work/page.css")",
};
EOF
} >"$work/page.c"
mv "$work/page.c" "$output"
