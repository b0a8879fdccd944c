#!/bin/sh
# check_symbols.sh LIBRARY HEADER: the library gives out what the header declares, and nothing else.
given=$(${NM:-nm} -D --defined-only "$1" | awk '{print $3}' | sort)
declared=$(grep -o '^MR_API [^(]*' "$2" | awk '{print $NF}' | sort)
if [ "$given" = "$declared" ]; then
  echo "symbols: $(echo "$given" | wc -l), as declared"
else
  echo "symbols: the library and its header differ (< library, > header):"
  a=$(mktemp) && b=$(mktemp) && echo "$given" >"$a" && echo "$declared" >"$b" && diff "$a" "$b"
  rm -f "$a" "$b"
  exit 1
fi
