/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmillrace: the kernel's side of Millrace, whole. A binding sees this header and nothing else.
 *
 * Conventions
 *  - Every function returns 0, a count or a handle, or a negated errno. errno itself is never part of the
 *    interface.
 *  - Only int32_t, int64_t and addresses of native memory (as int64_t) cross the border, so that FFM, JNI and
 *    JNA can all carry every call without marshalling.
 *  - All structures are fixed-size, without padding that differs between 64-bit Linux ABIs. Their sizes and
 *    the offsets of their fields are exported by mr_constant(), as are the numbers of flags that differ
 *    between processors (O_DIRECT is one).
 *  - No function calls back.
 *
 * Threads
 *  - One long-lived thread creates an engine, registers with it, calls mr_engine_turn() and destroys it: the
 *    kernel ties requests and a single-issuer ring to the thread that entered it; another thread is refused
 *    with -EPERM. Only mr_engine_wake() and mr_engine_sample_workers() may be called from any other thread,
 *    until mr_engine_destroy() begins.
 *  - All other functions are free of shared state.
 */
#ifndef MILLRACE_H
#define MILLRACE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised by every change of this header that an older binding would misread. */
#ifndef MR_ABI_VERSION /* tests build a library of another version */
#define MR_ABI_VERSION 1
#endif

#define MR_API __attribute__((visibility("default")))

/* ------------------------------------------------------------------ operations */

/* One operation record, 64 bytes. Unused fields are 0. Paths are NUL-terminated and, like every address, stay
 * valid and unchanged until the operation's completion was returned. */
struct mr_op {
  uint16_t code;    /* enum mr_op_code */
  uint16_t flags;   /* enum mr_op_flag */
  int32_t fd;       /* descriptor; for path operations 0 */
  uint64_t offset;  /* file offset in bytes; timeout: nanoseconds; connect: 0 */
  uint64_t address; /* buffer, path, or socket address */
  uint32_t length;  /* bytes at address; socket: protocol; otherwise 0 */
  uint32_t buffer;  /* registered-buffer index where MR_OP_FIXED_BUFFER is set */
  uint64_t extra;   /* second path (rename), statx result, fallocate length, cancel: token to cancel */
  uint32_t arg;   /* open flags, rename flags, fallocate mode, poll events, recv/send flags, socket domain */
  uint32_t arg2;  /* open and mkdir: mode; socket: type */
  uint64_t token; /* returned with the completion; MR_TOKEN_INTERNAL is reserved */
  uint64_t reserved;
};

enum mr_op_code {
  MR_NOP = 0,
  MR_OPEN = 1,      /* address path, arg flags (O_CLOEXEC is added), arg2 mode -> descriptor */
  MR_CLOSE = 2,     /* fd */
  MR_READ = 3,      /* fd, offset, address, length (at most MR_MAX_TRANSFER) -> bytes, 0 at end of file */
  MR_WRITE = 4,     /* fd, offset, address, length (at most MR_MAX_TRANSFER) -> bytes */
  MR_FSYNC = 5,     /* fd */
  MR_FDATASYNC = 6, /* fd */
  MR_FALLOCATE = 7, /* fd, arg mode, offset, extra length */
  MR_FTRUNCATE = 8, /* fd, offset = new length */
  MR_STATX = 9,     /* address path, or fd where address is 0; extra = struct mr_stat to fill */
  MR_RENAME = 10,   /* address old path, extra new path, arg 0 or MR_RENAME_NOREPLACE */
  MR_UNLINK = 11,   /* address path, arg 0 or MR_UNLINK_DIR */
  MR_MKDIR = 12,    /* address path, arg2 mode */
  MR_SOCKET = 13,  /* arg domain, arg2 type (CLOEXEC and NONBLOCK are added), length protocol -> descriptor */
  MR_CONNECT = 14, /* fd, address sockaddr, length its size */
  MR_RECV = 15,    /* fd, address, length, arg 0 or MR_RECV_WAITALL -> bytes, 0 when the peer closed */
  MR_SEND = 16,    /* fd, address, length -> bytes; SIGPIPE is never raised */
  MR_POLL = 17,    /* fd, arg events (POLLIN, ...) -> events that are ready; once */
  MR_TIMEOUT = 18, /* offset nanoseconds from submission -> -ETIME when it fires */
  MR_CANCEL = 19,  /* extra token -> 0 asked to stop, -ENOENT nothing with this token is in flight,
                      -EALREADY too late to stop. The cancelled operation completes on its own as well. */
  MR_OP_CODES = 20 /* count */
};

enum mr_op_flag {
  MR_OP_FIXED_BUFFER = 1, /* read, write: address lies inside registered buffer number `buffer` */
  MR_OP_FIXED_FILE = 2    /* fd is a slot of the registered-file table */
};

enum { MR_RECV_WAITALL = 1 };
enum { MR_RENAME_NOREPLACE = 1 };
enum { MR_UNLINK_DIR = 1 };

/* The most bytes one read or write moves (MAX_RW_COUNT of the kernel); longer ones are refused with -EINVAL.
 */
#define MR_MAX_TRANSFER 0x7ffff000u

/* Tokens of this and higher value are the engine's own. */
#define MR_TOKEN_INTERNAL 0xffffffffffff0000ull

/* One completion, 16 bytes. */
struct mr_completion {
  uint64_t token;
  int32_t result; /* 0, a count, or a negated errno */
  uint32_t flags; /* 0 */
};

/* ------------------------------------------------------------------ engines */

enum mr_engine_kind { MR_ENGINE_IO_URING = 1, MR_ENGINE_EPOLL = 2 };

struct mr_engine_config {
  uint32_t kind;           /* enum mr_engine_kind */
  uint32_t depth;          /* operations in flight at most; the caller keeps to it, 1 .. 32768 */
  uint32_t workers;        /* threads for what the kernel's ring cannot do (io_uring) or all files (epoll);
                              at least 1 */
  uint32_t kernel_workers; /* bound of the kernel's own bounded and unbounded workers each; 0 leaves the
                              kernel's */
  uint32_t flags;          /* enum mr_engine_flag */
  uint32_t reserved;
};

enum mr_engine_flag {
  MR_ENGINE_NO_DEFER = 1 /* tests: without SINGLE_ISSUER and DEFER_TASKRUN */
};

/* What creation has to say, in success and failure. */
struct mr_engine_report {
  uint32_t kind;         /* engine that was made, or refused */
  uint32_t depth;        /* submission entries that were got */
  uint64_t features;     /* IORING_FEAT_* of the ring, 0 for epoll */
  uint32_t setup_flags;  /* IORING_SETUP_* in force */
  uint32_t ring_flags;   /* enum mr_ring_flag */
  uint64_t kernel_ops;   /* bit per enum mr_op_code that the kernel's ring carries out */
  int32_t error;         /* 0, or the errno (positive) that refused the engine */
  int32_t error_call;    /* enum mr_call that gave it */
  uint64_t memlock_soft; /* RLIMIT_MEMLOCK in bytes, UINT64_MAX for unlimited */
  uint64_t memlock_hard;
};

enum mr_ring_flag {
  MR_RING_REGISTERED_FD = 1, /* enter goes by the registered ring index */
  MR_RING_NO_IOWAIT = 2,     /* idle waits are not charged as iowait */
  MR_RING_WORKERS_CAPPED = 4 /* kernel_workers is in force */
};

/* The call that refused something. */
enum mr_call {
  MR_CALL_NONE = 0,
  MR_CALL_IO_URING_SETUP = 1,
  MR_CALL_IO_URING_ENTER = 2,
  MR_CALL_IO_URING_REGISTER = 3,
  MR_CALL_MMAP = 4,
  MR_CALL_EVENTFD = 5,
  MR_CALL_EPOLL = 6,
  MR_CALL_THREAD = 7,
  MR_CALL_SYSCTL = 8, /* refused by kernel.io_uring_disabled */
  MR_CALL_VERIFY = 9  /* the call succeeded and did not do its work */
};

/* Counters since creation; each only grows. */
struct mr_engine_stats {
  uint64_t turns;          /* calls of mr_engine_turn */
  uint64_t enters;         /* io_uring_enter or epoll_wait calls made */
  uint64_t submitted;      /* operations handed in */
  uint64_t completed;      /* completions returned, the engine's own not counted */
  uint64_t fixed;          /* reads and writes through registered buffers */
  uint64_t plain;          /* reads and writes through others */
  uint64_t bytes_read;     /* bytes of completed reads and recvs */
  uint64_t bytes_written;  /* bytes of completed writes */
  uint64_t bytes_sent;     /* bytes of completed sends */
  uint64_t to_workers;     /* operations carried out by the engine's own worker threads */
  uint64_t wakes;          /* wake-ups that were seen */
  uint64_t overflows;      /* completions that the kernel had to keep outside its queue */
  uint64_t in_flight;      /* operations handed in and not yet returned */
  uint64_t kernel_workers; /* most iou-wrk threads seen, sampled by mr_engine_sample_workers */
  uint64_t buffers;        /* registered buffers */
  uint64_t files;          /* slots of the registered-file table */
};

/* Makes an engine. `config` is a struct mr_engine_config, `report` a struct mr_engine_report that is filled
 * in either case. For io_uring it carries out one real operation before it returns, since set-up alone
 * succeeds where enter is refused. Returns the handle (> 0) or -errno. */
MR_API int64_t mr_engine_create(int64_t config, int64_t report);

/* One turn: hands in `count` operations (array of struct mr_op at `ops`), waits until at least one completion
 * is there, the wake-up was rung or the time is over, and writes at most `max` completions (array of struct
 * mr_completion).
 * timeout_ns: 0 does not wait, negative waits without end. With completions at hand it never waits.
 * Every operation handed in is completed exactly once, in this turn or a later one: one that is not
 * well-formed with -EINVAL, and none strands the others. Returns the number of completions, or -errno when
 * the engine itself is broken. */
MR_API int32_t mr_engine_turn(int64_t engine, int64_t ops, int32_t count, int64_t completions, int32_t max,
                              int64_t timeout_ns);

/* Ends the wait of a turn that is under way, or of the next one. Any thread; never blocks. */
MR_API int32_t mr_engine_wake(int64_t engine);

/* Registers `count` buffers, given as pairs of 64-bit address and length, whose indices are then 0 ..
 * count-1. Where the kernel's limits do not allow all, registers as many as it can, from the front. Returns
 * how many (0 on an engine that cannot), `error` (an int32_t) receives the errno that stopped it, or 0. */
MR_API int32_t mr_engine_register_buffers(int64_t engine, int64_t pairs, int32_t count, int64_t error);
/* No operation may use a registered buffer when this is called. */
MR_API int32_t mr_engine_unregister_buffers(int64_t engine);

/* A table of `count` empty slots for MR_OP_FIXED_FILE; then one slot at a time, fd -1 empties it. */
MR_API int32_t mr_engine_register_files(int64_t engine, int32_t count);
MR_API int32_t mr_engine_update_file(int64_t engine, int32_t slot, int32_t fd);

/* Fills a struct mr_engine_stats. The engine's thread. */
MR_API int32_t mr_engine_stats(int64_t engine, int64_t stats);
/* Counts the kernel's iou-wrk threads of this process now, and keeps the most seen. Any thread. */
MR_API int32_t mr_engine_sample_workers(int64_t engine);

/* Asks what is in flight to stop, waits until the kernel has let go of every operation, then frees wake-up,
 * ring and workers. Completions not yet taken are dropped: a caller that needs them drains by turns first.
 * Where the kernel refuses to be entered any more (a seccomp filter that came later), the ring is given up
 * and its end is waited for. -EINPROGRESS: the calling thread itself holds the ring; when it has ended,
 * another one calls again, which waits and then frees. -ENOTRECOVERABLE: whether the kernel still writes to
 * what operations named cannot be known; that memory, and the engine, must be kept. */
MR_API int32_t mr_engine_destroy(int64_t engine);

/* ------------------------------------------------------------------ what this kernel and process allow */

struct mr_probe {
  int32_t uring_error;     /* 0: a ring was set up, entered and registered with, and a real read came back */
  int32_t uring_call;      /* enum mr_call that refused */
  int32_t uring_disabled;  /* value of kernel.io_uring_disabled, -1 where there is none */
  int32_t seccomp;         /* mode of seccomp in /proc/self/status: 0 none, 2 filter, -1 unknown */
  uint64_t uring_features; /* IORING_FEAT_* */
  uint64_t uring_ops;      /* bit per enum mr_op_code the ring carries out */
  uint32_t setup_flags;    /* IORING_SETUP_* of MR's wish that are accepted */
  uint32_t ring_flags;     /* enum mr_ring_flag that are accepted */
  int32_t register_error;  /* 0, or errno of registering one 4 KiB buffer */
  int32_t huge_pages;      /* enum mr_huge_pages */
  uint64_t memlock_soft;
  uint64_t memlock_hard;
  int32_t epoll_error; /* 0, or errno that refuses the epoll engine */
  int32_t epoll_call;  /* enum mr_call */
  uint64_t page_size;
};

enum mr_huge_pages { /* /sys/kernel/mm/transparent_hugepage/enabled */
                     MR_HUGE_UNKNOWN = -1,
                     MR_HUGE_NEVER = 0,
                     MR_HUGE_MADVISE = 1,
                     MR_HUGE_ALWAYS = 2
};

/* Fills a struct mr_probe by real, tiny operations. flags: MR_PROBE_NO_URING makes no io_uring call at all.
 */
enum { MR_PROBE_NO_URING = 1 };
MR_API int32_t mr_probe(int64_t probe, int32_t flags);

/* ------------------------------------------------------------------ memory */

/* Maps `length` bytes (rounded up to 2 MiB), aligned to 2 MiB, not inherited by a forked child, zeroed, and
 * backed now (so that huge pages are got while they can be). flags: enum mr_memory_flag. Returns the address
 * or -errno; the same length goes to mr_memory_unmap. */
enum mr_memory_flag {
  MR_MEMORY_SMALL_PAGES = 1, /* ask for 4 KiB pages: to compare */
  MR_MEMORY_LAZY = 2         /* back pages at first touch */
};
MR_API int64_t mr_memory_map(int64_t length, int32_t flags);
/* How many bytes of the mapping lie on huge pages now (/proc/self/smaps), or -errno. */
MR_API int64_t mr_memory_huge_bytes(int64_t address, int64_t length);
/* Gives the pages back and keeps the addresses: a late reader sees zeroes instead of a crash. */
MR_API int32_t mr_memory_discard(int64_t address, int64_t length);
MR_API int32_t mr_memory_unmap(int64_t address, int64_t length);

/* ------------------------------------------------------------------ checksums */

/* Continues a checksum over `length` bytes at `address`: seed 0 begins, the result is the seed of the next
 * call. CRC-32C (Castagnoli, reflected), check value of "123456789" E3069283; CRC-64/NVME, AE8B14860A799888.
 */
MR_API int64_t mr_crc32c(int64_t seed, int64_t address, int64_t length);
MR_API int64_t mr_crc64nvme(int64_t seed, int64_t address, int64_t length);
/* Copies and continues the checksum in one pass: kind 1 CRC-32C, 2 CRC-64/NVME, 0 copies only. */
MR_API int64_t mr_copy_checksum(int32_t kind, int64_t seed, int64_t to, int64_t from, int64_t length);
/* Bit 0: CRC-32C by instructions, bit 1: CRC-64/NVME by instructions; else tables. */
MR_API int32_t mr_checksum_features(void);

/* ------------------------------------------------------------------ blocking calls, on the caller's thread
 */

struct mr_stat { /* 96 bytes */
  uint64_t size;
  uint64_t mode; /* st_mode: type and permissions */
  uint64_t device;
  uint64_t inode;
  uint64_t blocks; /* of 512 bytes, allocated */
  uint64_t links;
  int64_t modified_ns;       /* since the epoch */
  uint64_t fs_type;          /* statfs f_type */
  uint32_t block_size;       /* preferred */
  uint32_t dio_memory_align; /* statx STATX_DIOALIGN: 0 direct I/O not supported; MR_DIO_UNKNOWN not said */
  uint32_t dio_offset_align;
  uint32_t uid;
  uint32_t gid;
  uint32_t reserved[3];
};
#define MR_DIO_UNKNOWN 0xffffffffu

/* EINTR is repeated inside; short counts are returned as they come. */
MR_API int32_t mr_open(int64_t path, int32_t flags, int32_t mode);
MR_API int32_t mr_close(int32_t fd);
MR_API int64_t mr_pread(int32_t fd, int64_t address, int64_t length, int64_t offset);
MR_API int64_t mr_pwrite(int32_t fd, int64_t address, int64_t length, int64_t offset);
MR_API int32_t mr_fsync(int32_t fd);
MR_API int32_t mr_fdatasync(int32_t fd);
MR_API int32_t mr_fallocate(int32_t fd, int32_t mode, int64_t offset, int64_t length);
MR_API int32_t mr_ftruncate(int32_t fd, int64_t length);
MR_API int32_t mr_statx(int32_t fd, int64_t path, int64_t stat); /* path 0: the descriptor */
MR_API int32_t mr_rename(int64_t from, int64_t to, int32_t flags);
MR_API int32_t mr_unlink(int64_t path, int32_t flags);
MR_API int32_t mr_mkdir(int64_t path, int32_t mode);
MR_API int32_t mr_fchmod(int32_t fd, int32_t mode);
/* Takes an advisory write lock on the whole file for this open file description (F_OFD_SETLK), which excludes
 * and is excluded by fcntl locks such as Java's FileChannel.lock. 0, or -EAGAIN when another holds one. */
MR_API int32_t mr_try_lock(int32_t fd);
/* Free bytes for an unprivileged user on the file system of `path`, INT64_MAX where that does not count them
 * (ramfs), or -errno. */
MR_API int64_t mr_free_bytes(int64_t path);
/* Sets a socket option that downloads need: what is enum mr_socket_option. */
enum mr_socket_option { MR_SOCKET_NODELAY = 1, MR_SOCKET_RECEIVE_BUFFER = 2, MR_SOCKET_SHUTDOWN = 3 };
MR_API int32_t mr_socket_option(int32_t fd, int32_t what, int32_t value);

/* ------------------------------------------------------------------ handshake */

MR_API int32_t mr_abi_version(void);
/* A constant by its number in enum mr_constant_id, or INT64_MIN for an unknown number. */
MR_API int64_t mr_constant(int32_t id);
/* Copies the errno's name ("ENOSPC") as NUL-terminated ASCII; returns its length, 0 for an unknown one. */
MR_API int32_t mr_errno_name(int32_t error, int64_t out, int32_t capacity);

enum mr_constant_id {
  /* sizes */
  MR_C_OP_SIZE = 1,
  MR_C_COMPLETION_SIZE = 2,
  MR_C_CONFIG_SIZE = 3,
  MR_C_REPORT_SIZE = 4,
  MR_C_STATS_SIZE = 5,
  MR_C_PROBE_SIZE = 6,
  MR_C_STAT_SIZE = 7,
  /* offsets in struct mr_op */
  MR_C_OP_CODE = 10,
  MR_C_OP_FLAGS = 11,
  MR_C_OP_FD = 12,
  MR_C_OP_OFFSET = 13,
  MR_C_OP_ADDRESS = 14,
  MR_C_OP_LENGTH = 15,
  MR_C_OP_BUFFER = 16,
  MR_C_OP_EXTRA = 17,
  MR_C_OP_ARG = 18,
  MR_C_OP_ARG2 = 19,
  MR_C_OP_TOKEN = 20,
  /* offsets in struct mr_completion */
  MR_C_COMPLETION_TOKEN = 30,
  MR_C_COMPLETION_RESULT = 31,
  /* open flags of this processor */
  MR_C_O_RDONLY = 40,
  MR_C_O_WRONLY = 41,
  MR_C_O_RDWR = 42,
  MR_C_O_CREAT = 43,
  MR_C_O_EXCL = 44,
  MR_C_O_TRUNC = 45,
  MR_C_O_DIRECT = 46,
  MR_C_O_DIRECTORY = 47,
  MR_C_O_NOFOLLOW = 48,
  MR_C_O_CLOEXEC = 49,
  MR_C_O_NONBLOCK = 50,
  /* sockets and poll */
  MR_C_AF_INET = 60,
  MR_C_AF_INET6 = 61,
  MR_C_SOCK_STREAM = 62,
  MR_C_POLLIN = 63,
  MR_C_POLLOUT = 64,
  /* errno of this processor */
  MR_C_EPERM = 80,
  MR_C_ENOENT = 81,
  MR_C_EINTR = 82,
  MR_C_EIO = 83,
  MR_C_EAGAIN = 84,
  MR_C_ENOMEM = 85,
  MR_C_EACCES = 86,
  MR_C_EEXIST = 87,
  MR_C_ENOTDIR = 88,
  MR_C_EISDIR = 89,
  MR_C_EINVAL = 90,
  MR_C_ENFILE = 91,
  MR_C_EMFILE = 92,
  MR_C_EFBIG = 93,
  MR_C_ENOSPC = 94,
  MR_C_EROFS = 95,
  MR_C_ENOSYS = 96,
  MR_C_EDQUOT = 97,
  MR_C_EOPNOTSUPP = 98,
  MR_C_ECANCELED = 99,
  MR_C_ETIME = 100,
  MR_C_EALREADY = 101,
  MR_C_EBADF = 102,
  MR_C_EBUSY = 103,
  MR_C_ENAMETOOLONG = 104,
  MR_C_ELOOP = 105
};

#ifdef __cplusplus
}
#endif
#endif
