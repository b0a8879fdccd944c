#!/bin/sh
# run.sh FLAVOUR PROGRAM...: one line a test, then the sum; 1 if any failed. Output of a test is shown only
# when it did not pass. Flavours that mean something here: valgrind, and old (rings as older kernels have).
flavour=$1
[ "$flavour" = old ] && export MR_TEST_NO_DEFER=1
shift
passed=0 failed=0 skipped=0
if [ "$flavour" = valgrind ] && ! command -v valgrind >/dev/null; then
  echo "valgrind: SKIPPED, there is no valgrind here"
  exit 0
fi
folder=$(mktemp -d "$(dirname "$1")/run-XXXXXX") || exit 1
TMPDIR=$(cd "$folder" && pwd)
export TMPDIR
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1}"
trap 'rm -rf "$folder"' EXIT
limit=${MR_TEST_SECONDS:-120}
for program; do
  name=$(basename "$program")
  # What the kernel writes to through a ring is unseen by valgrind and of no use to it; the other engine, the
  # workers and the slots are its field.
  if [ "$flavour" = valgrind ]; then
    case $name in
    test_crc | test_memory | test_seccomp | test_limits | test_workers_absent) continue ;;
    esac
    # Its threads take turns at one lock; without fairness one that spins starves the rest for minutes.
    MR_TEST_KINDS=epoll MR_TEST_SLOW=1 timeout -k 5 $((limit * 5)) valgrind -q --error-exitcode=1 \
      --fair-sched=yes \
      --leak-check=full --show-leak-kinds=definite,possible --errors-for-leak-kinds=definite \
      "$program" >"$folder/out" 2>&1
  else
    timeout -k 5 "$limit" $RUN "$program" >"$folder/out" 2>&1
  fi
  code=$?
  case $code in
  0) passed=$((passed + 1)) && echo "$flavour $name: ok" ;;
  77) skipped=$((skipped + 1)) && echo "$flavour $name: SKIPPED: $(tail -1 "$folder/out")" ;;
  *)
    failed=$((failed + 1))
    echo "$flavour $name: FAILED ($code)"
    sed 's/^/    /' "$folder/out"
    ;;
  esac
done
echo "$flavour: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
