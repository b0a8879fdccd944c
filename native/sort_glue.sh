#!/bin/sh
# sort_glue.sh SOURCE: the generated glue with its functions sorted by name, on stdout. The generator asks reflection for
# the methods, and a JVM tells them in another order each time it runs.
tab=$(printf '\t')
LC_ALL=C awk -v OFS='\t' '
  /^JNIEXPORT .* Java_/ { match($0, /Java_[A-Za-z0-9_]*/); name = substr($0, RSTART, RLENGTH); part = 1 }
  { print part + 0, part == 1 ? name : "", NR, $0 }
  part == 1 && $0 == "}" { part = 2 }' "$1" | LC_ALL=C sort -t "$tab" -k 1,1n -k 2,2 -k 3,3n | cut -f 4-
