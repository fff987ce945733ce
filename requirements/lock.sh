# Write the three hash-locked files from their pins; refuse a text that names any address.
set -eu
cd "$(dirname "$0")"
for name in runtime development snowflake_double; do
  uv pip compile -q "$name.in" -o "$name.txt" --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header --no-annotate
  if grep -nE '://|--(extra-)?index-url|--find-links|--trusted-host| @ ' "$name.txt"; then
    echo "address in $name.txt" >&2
    exit 1
  fi
done
