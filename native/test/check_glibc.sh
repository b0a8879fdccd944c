#!/bin/sh
# check_glibc.sh LIBRARY FLOOR: the library loads wherever there is glibc FLOOR or a later one. It asks for no newer
# symbol version, needs no other library than glibc's own, names no folder to search, and wants neither an executable
# stack nor its text rewritten, which hardened systems refuse. Any processor's library: readelf reads them all.
library=$1 floor=$2 name=$(basename "$1")
export LC_ALL=C
wrong=0
fault() { echo "glibc: $name $*" && wrong=1; }

[ -r "$library" ] || { echo "glibc: there is no $library" && exit 1; }
versions=$(readelf -VW "$library" | grep -o 'Name: GLIBC_[A-Za-z0-9._]*' | sed 's/Name: GLIBC_//' | sort -Vu)
[ -n "$versions" ] || fault 'asks for no symbol version of glibc at all: is it a library of Linux?'
named=$(echo "$versions" | grep -v '^[0-9]')
[ -z "$named" ] || fault "asks for glibc's own $(echo "$named" | paste -sd ' ' -), which another build of it may lack"
highest=$(echo "$versions" | grep '^[0-9]' | tail -n 1)
if [ "$(printf '%s\n%s\n' "$highest" "$floor" | sort -V | tail -n 1)" != "$floor" ]; then
  fault "needs glibc $highest, and $floor is promised; by:"
  readelf --dyn-syms -W "$library" | grep -o "[^ ]*@GLIBC_$highest" | sed 's/^/    /'
fi
others=$(readelf -dW "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v -e '^libc\.so\.6$' -e '^libm\.so\.6$' -e '^ld-linux-')
[ -z "$others" ] || fault "needs other libraries: $(echo "$others" | paste -sd ' ' -)"
readelf -dW "$library" | grep -q -e TEXTREL && fault 'has its text rewritten when it is loaded: something was built without -fPIC'
readelf -dW "$library" | grep -q -e '(RPATH)' -e '(RUNPATH)' && fault 'names a folder to search for libraries'
stack=$(readelf -lW "$library" | awk '$1 == "GNU_STACK"')
case $stack in
'') fault 'does not say that its stack is not executable' ;;
*' RWE '*) fault 'wants an executable stack' ;;
esac
[ "$wrong" = 0 ] && echo "glibc: $name needs $highest, $floor is promised"
exit "$wrong"
