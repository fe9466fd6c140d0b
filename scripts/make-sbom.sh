#!/bin/bash
# make-sbom.sh PROGRAM VERSION SOURCE COMPILER SCRIPT OUTPUT: writes what the program is made of as an SPDX 2.3
# document in the tag-value form: each library that it is linked to, with the package and version that it
# was built against, and what the page's script (SCRIPT) is made of.
#
# The names come from the program itself, the licences from NOTICE: a library that NOTICE does not name
# fails. A version that no package manager here knows is NOASSERTION.
set -euo pipefail
program=$1 version=$2 source=$3 compiler=$4 script=$5 output=$6
stamp=$(sed -n 's/^ -- .*>  //p' "$source/deploy/debian/changelog" | head -n 1)
created=$(date -u -d "${SOURCE_DATE_EPOCH:+@}${SOURCE_DATE_EPOCH:-$stamp}" +%Y-%m-%dT%H:%M:%SZ)

# "librdkafka librdkafka.so BSD-2-Clause https://…", of each row of NOTICE's table of libraries.
rows=$(sed -nE 's/^([A-Za-z0-9-]+) +(lib[^ ]+\.so(, lib[^ ]+\.so)*) {2,}(.+[^ ]) {2,}(https:.*)$/\1|\2|\4|\5/p' "$source/NOTICE")

# The package of a library and its version, "librdkafka1 2.0.2-1"; nothing if nobody knows.
package_of() {
    local path
    path=$(readlink -f "$("$compiler" -print-file-name="$1")") || return 0
    for path in "$path" "${path#/usr}" "/usr$path"; do
        if name=$(dpkg-query -S "$path" 2>/dev/null); then
            dpkg-query -W -f '${binary:Package} ${Version}' "${name%%: *}" | sed "s/:[a-z0-9]* / /"
            return 0
        fi
    done
}

# ID NAME VERSION LICENCE HOME [PACKAGE]
print_package() {
    printf '\nPackageName: %s\nSPDXID: SPDXRef-%s\nPackageVersion: %s\n' "$2" "$1" "$3"
    printf 'PackageDownloadLocation: NOASSERTION\nFilesAnalyzed: false\nPackageHomePage: %s\n' "$5"
    printf 'PackageLicenseConcluded: %s\nPackageLicenseDeclared: %s\nPackageCopyrightText: NOASSERTION\n' "$4" "$4"
    [ -z "${6:-}" ] || printf 'ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/%s@%s\n' "$6" "${3//+/%2B}"
}

# The row of NOTICE that names a shared object; ld.so is glibc's.
row_of() {
    local name=${1%%.so*}
    case $name in ld-linux*) name=libc ;; esac
    grep -E "[|,]$name\.so[|,]" <<<"${rows//, /,}" || {
        echo "make-sbom.sh: NOTICE does not name $1" >&2
        exit 1
    }
}

print_library() {
    local soname=$1 row name licence home versioned
    row=$(row_of "$soname")
    IFS='|' read -r name _ licence home <<<"$row"
    versioned=$(package_of "$soname")
    versioned=${versioned:- NOASSERTION}
    print_package "$soname" "$soname" "${versioned#* }" "$licence" "$home" "${versioned%% *}"
    printf 'PackageComment: <text>%s</text>\n' "$name"
    printf 'Relationship: SPDXRef-esports-stream DYNAMIC_LINK SPDXRef-%s\n' "$soname"
}

print_script() {
    local id=${1//[^A-Za-z0-9.-]/-}
    print_package "$id" "$1" "$2" MIT "https://www.npmjs.com/package/${1,,}"
    printf 'Relationship: SPDXRef-esports-stream CONTAINS SPDXRef-%s\n' "$id"
}

{
    printf 'SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\n'
    printf 'DocumentName: esports-stream-%s\n' "$version"
    printf 'DocumentNamespace: https://esports-stream.invalid/spdx/%s/%s\n' "$version" "$(sha256sum <"$program" | cut -c1-32)"
    printf 'Creator: Tool: make-sbom.sh-%s\nCreated: %s\n' "$version" "$created"
    print_package esports-stream esports-stream "$version" Apache-2.0 NONE
    printf 'Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-esports-stream\n'
    for soname in $(LC_ALL=C readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort); do
        print_library "$soname"
    done
    # "/*! * Chart.js v3.9.1", in the page's script.
    sed -nE 's/^ \* (\S+) v([0-9][0-9.]*)$/\1 \2/p' "$script" | while read -r name number; do
        print_script "$name" "$number"
    done
} >"$output.new"
mv "$output.new" "$output"
