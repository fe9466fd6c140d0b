#!/bin/bash
# What the tests of the Helm chart need, in .cache/helm: helm, compiled from its Go module, and the schema
# of Prometheus Operator's ServiceMonitor. Debian 12's Go is too old to compile helm, but can fetch a newer
# one, which is a Go module, too. Nothing of Go is left afterwards.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."

go=1.24.11
helm=v3.19.4
operator=v0.85.0

made=$PWD/.cache/helm
if [ "$(cat "$made/version" 2>/dev/null)" = "$helm $operator" ]; then
    exit 0
fi
scripts/apt-install.sh golang-go
rm -rf "$made"
mkdir -p "$made/work"
# Modules stay writable, so that they can be removed. The compiler is the one that is named here.
export GOPATH=$made/work/path GOCACHE=$made/work/cache GOBIN=$made GOFLAGS=-modcacherw GOTOOLCHAIN=local
unset GOROOT

download() { # GO MODULE@VERSION: prints its directory
    (cd "$made/work" && "$1" mod download -json "$2") >"$made/work/answer" || {
        cat "$made/work/answer" >&2
        return 1
    }
    sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' "$made/work/answer"
}

# Debian's own Go, not the first in PATH, fetches the newer one. What Go itself would do then is done
# here: a module can hold neither programs nor further modules.
toolchain=$(download /usr/bin/go "golang.org/toolchain@v0.0.1-go$go.linux-$(dpkg --print-architecture)")
chmod +x "$toolchain"/bin/* "$toolchain"/pkg/tool/*/*
find "$toolchain/src" -name _go.mod -execdir mv {} go.mod \;

go=$toolchain/bin/go
"$go" install -trimpath -ldflags "-s -w" "helm.sh/helm/v3/cmd/helm@$helm"
directory=$(download "$go" "github.com/prometheus-operator/prometheus-operator@$operator")
cp "$directory/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml" "$made/servicemonitor.yaml"
chmod -R u+w "$made/work"
rm -rf "$made/work"
"$made/helm" version
echo "$helm $operator" >"$made/version"
