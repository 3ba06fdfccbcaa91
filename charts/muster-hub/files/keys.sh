# From a Secret to the hub's keys folder: keys.sh FROM TO. A Secret has no folders and no private modes; the hub wants both.
set -eu
umask 077
mkdir -p "$2/signing"
for file in "$1"/*; do
  name=$(basename "$file")
  case "$name" in
    signing-*) install -m 600 "$file" "$2/signing/${name#signing-}" ;;
    *) install -m 600 "$file" "$2/$name" ;;
  esac
done
