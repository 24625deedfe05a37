// The system calls that Node lacks, as a Node-API 8 addon for 64-bit little-endian Linux: sockets with control data
// and batches, ppoll, eventfd, scheduling, namespaces, clocks. It knows no protocol, decides nothing, starts no thread.
//
// It links against nothing, not even libc, so one binary loads under glibc and musl and under every Node since 20:
// system calls are made directly, and the few structures of the kernel's ABI that it needs are declared here.
//
// Two rules keep it memory-safe whatever JavaScript hands it:
//   1. enter() is the only place that may run JavaScript (a getter); after it, pointers and lengths are read afresh.
//   2. Table entries are copied once and then judged, since the memory may be shared with another thread.
#include <asm/unistd.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Static_assert(sizeof(void *) == 8 && sizeof(long) == 8, "64-bit Linux only");
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "little-endian machines only"
#endif

// ---------------------------------------------------------------------------------------------- system calls

/// One system call; the result or a negative errno, as the kernel gives it.
static inline long sys(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#elif defined(__riscv) && __riscv_xlen == 64
  register long a7 __asm__("a7") = number;
  register long a0 __asm__("a0") = a;
  register long a1 __asm__("a1") = b;
  register long a2 __asm__("a2") = c;
  register long a3 __asm__("a3") = d;
  register long a4 __asm__("a4") = e;
  register long a5 __asm__("a5") = f;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
  return a0;
#else
#error "add the system call convention of this architecture here"
#endif
}
#define SYS0(n) sys(n, 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) sys(n, (long)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) sys(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) sys(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) sys(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(n, a, b, c, d, e) sys(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SYS6(n, a, b, c, d, e, f) sys(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

// The compiler may call these on its own, also for freestanding code; the empty asm keeps it from seeing a call to
// themselves in their loops.
__attribute__((visibility("hidden"), used)) void *memset(void *to, int value, size_t n) {
  for (uint8_t *p = to; n--; p++) {
    *p = (uint8_t)value;
    __asm__ volatile("");
  }
  return to;
}
__attribute__((visibility("hidden"), used)) void *memcpy(void *restrict to, const void *restrict from, size_t n) {
  const uint8_t *q = from;
  for (uint8_t *p = to; n--; p++) {
    *p = *q++;
    __asm__ volatile("");
  }
  return to;
}

// ------------------------------------------------------------------------------------------- the kernel's ABI

struct timespec64 { int64_t sec; int64_t nsec; };
struct iovec { void *base; size_t length; };
struct msghdr {
  void *name; int32_t name_length;
  struct iovec *iov; size_t iov_length;
  void *control; size_t control_length;
  uint32_t flags;
};
struct mmsghdr { struct msghdr header; uint32_t length; };
struct cmsghdr { size_t length; int32_t level; int32_t type; };
struct pollfd { int32_t fd; int16_t events; int16_t revents; };
struct sock_fprog { uint16_t count; void *instructions; };
// handler, flags, (restorer,) mask: the mask is always empty, so that only x86 needs to know where the restorer is
struct sigaction { uintptr_t words[8]; };
_Static_assert(sizeof(struct msghdr) == 56 && sizeof(struct mmsghdr) == 64 && sizeof(struct cmsghdr) == 16, "ABI");

enum {
  EBADF_ = 9, EMFILE_ = 24,
  AF_UNIX_ = 1, AF_INET_ = 2, AF_INET6_ = 10, AF_NETLINK_ = 16, AF_PACKET_ = 17,
  SOCK_DGRAM_ = 2, SOCK_RAW_ = 3, SOCK_NONBLOCK_ = 0x800, SOCK_CLOEXEC_ = 0x80000,
  SOL_SOCKET_ = 1, SO_ATTACH_FILTER_ = 26, SO_ATTACH_REUSEPORT_CBPF_ = 51, SCM_TIMESTAMPNS_ = 35,
  SOL_IP_ = 0, IP_TTL_ = 2, IP_PKTINFO_ = 8,
  SOL_IPV6_ = 41, IPV6_PKTINFO_ = 50, IPV6_HOPLIMIT_ = 52,
  SOL_PACKET_ = 263, PACKET_FANOUT_DATA_ = 22,
  MSG_DONTROUTE_ = 4, MSG_TRUNC_ = 0x20, MSG_DONTWAIT_ = 0x40, MSG_CONFIRM_ = 0x800, MSG_NOSIGNAL_ = 0x4000,
  POLLIN_ = 1,
  SIGIO_ = 29, SA_RESTORER_ = 0x04000000, SA_ONSTACK_ = 0x08000000, SA_RESTART_ = 0x10000000,
  CLOCK_REALTIME_ = 0, CLOCK_MONOTONIC_ = 1, CLOCK_BOOTTIME_ = 7,
};

// --------------------------------------------------------------------------------------------------- errors

// Indexed by errno as in include/uapi/asm-generic/errno*.h, which x86, arm64 and riscv share.
static const char *const errno_names[] = {
  "OK", "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD", "EAGAIN", "ENOMEM",
  "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV", "ENODEV", "ENOTDIR", "EISDIR", "EINVAL", "ENFILE",
  "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG", "ENOSPC", "ESPIPE", "EROFS", "EMLINK", "EPIPE", "EDOM", "ERANGE", "EDEADLK",
  "ENAMETOOLONG", "ENOLCK", "ENOSYS", "ENOTEMPTY", "ELOOP", NULL, "ENOMSG", "EIDRM", "ECHRNG", "EL2NSYNC", "EL3HLT",
  "EL3RST", "ELNRNG", "EUNATCH", "ENOCSI", "EL2HLT", "EBADE", "EBADR", "EXFULL", "ENOANO", "EBADRQC", "EBADSLT", NULL,
  "EBFONT", "ENOSTR", "ENODATA", "ETIME", "ENOSR", "ENONET", "ENOPKG", "EREMOTE", "ENOLINK", "EADV", "ESRMNT", "ECOMM",
  "EPROTO", "EMULTIHOP", "EDOTDOT", "EBADMSG", "EOVERFLOW", "ENOTUNIQ", "EBADFD", "EREMCHG", "ELIBACC", "ELIBBAD",
  "ELIBSCN", "ELIBMAX", "ELIBEXEC", "EILSEQ", "ERESTART", "ESTRPIPE", "EUSERS", "ENOTSOCK", "EDESTADDRREQ", "EMSGSIZE",
  "EPROTOTYPE", "ENOPROTOOPT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "EOPNOTSUPP", "EPFNOSUPPORT", "EAFNOSUPPORT",
  "EADDRINUSE", "EADDRNOTAVAIL", "ENETDOWN", "ENETUNREACH", "ENETRESET", "ECONNABORTED", "ECONNRESET", "ENOBUFS",
  "EISCONN", "ENOTCONN", "ESHUTDOWN", "ETOOMANYREFS", "ETIMEDOUT", "ECONNREFUSED", "EHOSTDOWN", "EHOSTUNREACH",
  "EALREADY", "EINPROGRESS", "ESTALE", "EUCLEAN", "ENOTNAM", "ENAVAIL", "EISNAM", "EREMOTEIO", "EDQUOT", "ENOMEDIUM",
  "EMEDIUMTYPE", "ECANCELED", "ENOKEY", "EKEYEXPIRED", "EKEYREVOKED", "EKEYREJECTED", "EOWNERDEAD", "ENOTRECOVERABLE",
  "ERFKILL", "EHWPOISON",
};

static const char *errno_name(long error) {
  const long count = sizeof errno_names / sizeof *errno_names;
  return error >= 0 && error < count && errno_names[error] ? errno_names[error] : "EUNKNOWN";
}

static char *append(char *at, const char *end, const char *text) {
  while (*text && at < end - 1) *at++ = *text++;
  *at = 0;
  return at;
}

/// Throws Error { code: 'EPERM', errno: 1, syscall: 'socket' }.
static napi_value throw_errno(napi_env env, long error, const char *syscall) {
  char text[128], *end = text + sizeof text;
  append(append(append(text, end, errno_name(error)), end, ": "), end, syscall);
  napi_value code, message, object, value;
  if (napi_create_string_utf8(env, errno_name(error), NAPI_AUTO_LENGTH, &code) == napi_ok &&
      napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message) == napi_ok &&
      napi_create_error(env, code, message, &object) == napi_ok) {
    if (napi_create_double(env, (double)error, &value) == napi_ok) napi_set_named_property(env, object, "errno", value);
    if (napi_create_string_utf8(env, syscall, NAPI_AUTO_LENGTH, &value) == napi_ok)
      napi_set_named_property(env, object, "syscall", value);
    napi_throw(env, object);
  }
  return NULL;
}

static bool wrong(napi_env env, bool range, const char *what, const char *must) {
  char text[160], *end = text + sizeof text;
  append(append(append(text, end, what), end, " "), end, must);
  if (range) napi_throw_range_error(env, "ERR_OUT_OF_RANGE", text);
  else napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", text);
  return false;
}
static bool bad_type(napi_env env, const char *what, const char *must) { return wrong(env, false, what, must); }
static bool bad_range(napi_env env, const char *what, const char *must) { return wrong(env, true, what, must); }

// ------------------------------------------------------------------------------------------------- arguments

/// Fetches `count` arguments and refuses views of resizable buffers, whose bounds may change under a view.
static bool enter(napi_env env, napi_callback_info info, size_t count, napi_value *argv) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, argv, NULL, NULL) != napi_ok) return false;
  for (size_t i = 0; i < count; i++) {
    bool typed = false, resizable = false;
    napi_value buffer, flag;
    if (napi_is_typedarray(env, argv[i], &typed) != napi_ok) return false;
    if (!typed) continue;
    if (napi_get_typedarray_info(env, argv[i], NULL, NULL, NULL, &buffer, NULL) != napi_ok) return false;
    if (napi_get_named_property(env, buffer, "resizable", &flag) != napi_ok) return false;
    if (napi_get_value_bool(env, flag, &resizable) == napi_ok && resizable)
      return bad_type(env, "a view", "must not belong to a resizable ArrayBuffer");
  }
  return true;
}

/// The memory of a typed array of the given kind; at least `least` elements. A detached one has none.
static bool get_view(napi_env env, napi_value value, napi_typedarray_type kind, const char *what, size_t least,
                     void **data, size_t *length) {
  static const char *const must[] = {
    [napi_uint8_array] = "must be a Uint8Array",
    [napi_int32_array] = "must be an Int32Array",
    [napi_float64_array] = "must be a Float64Array",
  };
  bool typed = false;
  napi_typedarray_type type;
  *data = NULL;
  *length = 0;
  if (napi_is_typedarray(env, value, &typed) != napi_ok || !typed) return bad_type(env, what, must[kind]);
  if (napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) != napi_ok || type != kind)
    return bad_type(env, what, must[kind]);
  if (!*data) *length = 0;
  if (*length < least) return bad_range(env, what, "is too short or detached");
  return true;
}
static bool get_bytes(napi_env env, napi_value value, const char *what, size_t least, uint8_t **data, size_t *length) {
  return get_view(env, value, napi_uint8_array, what, least, (void **)data, length);
}

static bool is_undefined(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_undefined;
}

static bool get_double(napi_env env, napi_value value, const char *what, double *out) {
  if (napi_get_value_double(env, value, out) != napi_ok) return bad_type(env, what, "must be a number");
  return true;
}

static bool get_integer(napi_env env, napi_value value, const char *what, int64_t low, int64_t high, int64_t *out) {
  double number;
  if (!get_double(env, value, what, &number)) return false;
  if (!(number >= (double)low && number <= (double)high) || number != (double)(int64_t)number)
    return bad_range(env, what, "is not an integer or out of range");
  *out = (int64_t)number;
  return true;
}

static napi_value to_number(napi_env env, double number) {
  napi_value value = NULL;
  napi_create_double(env, number, &value);
  return value;
}
static napi_value to_int(napi_env env, long number) {
  napi_value value = NULL;
  napi_create_int32(env, (int32_t)number, &value);
  return value;
}

// --------------------------------------------------------------------------------------------------- handles
//
// A handle is generation * SLOTS + slot: a plain number that every thread of the process may use, and that never
// means another descriptor once it is closed. Whoever uses a descriptor holds a reference, so close() from another
// thread takes effect when the last system call on it has returned. Lock-free, because a real-time thread that
// waits for a lock of an ordinary one would wait for the scheduler.

#define SLOTS 1024
#define REFERENCES UINT64_C(0xffff)
#define OPEN (UINT64_C(1) << 16)   // may be acquired
#define TAKEN (UINT64_C(1) << 17)  // the slot belongs to a descriptor
#define GENERATION 18

static struct slot { uint64_t state; int fd; void *owner; } slots[SLOTS];
static uint32_t next_slot;

static void release(int index) {
  struct slot *slot = &slots[index];
  uint64_t state = __atomic_sub_fetch(&slot->state, 1, __ATOMIC_ACQ_REL);
  if (state & (OPEN | REFERENCES)) return;
  SYS1(__NR_close, slot->fd);
  slot->fd = -1;
  __atomic_store_n(&slot->state, ((state >> GENERATION) + 1) << GENERATION, __ATOMIC_RELEASE);
}

/// The slot of a handle with a reference taken, or -1.
static int try_acquire(double handle) {
  if (!(handle >= SLOTS && handle <= 9007199254740991.0) || handle != (double)(int64_t)handle) return -1;
  const int index = (int)((int64_t)handle % SLOTS);
  const uint64_t generation = (uint64_t)((int64_t)handle / SLOTS) - 1;
  uint64_t state = __atomic_load_n(&slots[index].state, __ATOMIC_ACQUIRE);
  do {
    if (!(state & OPEN) || state >> GENERATION != generation || (state & REFERENCES) == REFERENCES) return -1;
  } while (!__atomic_compare_exchange_n(&slots[index].state, &state, state + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
  return index;
}

static bool acquire(napi_env env, napi_value value, const char *syscall, int *index) {
  double handle;
  if (!get_double(env, value, "handle", &handle)) return false;
  *index = try_acquire(handle);
  if (*index >= 0) return true;
  throw_errno(env, EBADF_, syscall);
  return false;
}

/// Forbids new references; false when another thread did so first. The caller holds a reference.
static bool retire(int index) {
  return __atomic_fetch_and(&slots[index].state, ~OPEN, __ATOMIC_ACQ_REL) & OPEN;
}

/// Wraps a new descriptor, or throws and closes it.
static napi_value adopt(napi_env env, long fd, const char *syscall) {
  if (fd < 0) return throw_errno(env, -fd, syscall);
  for (int tries = 0; tries < SLOTS; tries++) {
    const int index = __atomic_fetch_add(&next_slot, 1, __ATOMIC_RELAXED) % SLOTS;
    struct slot *slot = &slots[index];
    uint64_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
    if (state & TAKEN) continue;
    if (!__atomic_compare_exchange_n(&slot->state, &state, state | TAKEN, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
    slot->fd = (int)fd;
    slot->owner = env;
    __atomic_store_n(&slot->state, state | TAKEN | OPEN, __ATOMIC_RELEASE);
    return to_number(env, (double)((state >> GENERATION) + 1) * SLOTS + index);
  }
  SYS1(__NR_close, fd);
  return throw_errno(env, EMFILE_, syscall);
}

/// A worker that ends takes along what it opened and did not close.
static void close_all_of(void *owner) {
  for (int index = 0; index < SLOTS; index++) {
    const uint64_t state = __atomic_load_n(&slots[index].state, __ATOMIC_ACQUIRE);
    if (!(state & OPEN) || try_acquire((double)((state >> GENERATION) + 1) * SLOTS + index) < 0) continue;
    if (slots[index].owner == owner) retire(index);
    release(index);
  }
}

/// Ends a set-up call: releases the handle, throws on an error, otherwise undefined.
static napi_value finish(napi_env env, int index, long result, const char *syscall) {
  release(index);
  return result < 0 ? throw_errno(env, -result, syscall) : NULL;
}

// ---------------------------------------------------------------------------------------------------- clocks

// libc's version reads the clock without entering the kernel. Every Node has one in the process, but it is not required.
extern int clock_gettime(int clock, struct timespec64 *out) __attribute__((weak));

static double clock_micros(int clock) {
  struct timespec64 now = {0, 0};
  if (!clock_gettime || clock_gettime(clock, &now) != 0) SYS2(__NR_clock_gettime, clock, &now);
  return (double)now.sec * 1e6 + (double)now.nsec / 1e3;
}

static napi_value fn_monotonic(napi_env env, napi_callback_info info) {
  (void)info;
  return to_number(env, clock_micros(CLOCK_MONOTONIC_));
}
static napi_value fn_boottime(napi_env env, napi_callback_info info) {
  (void)info;
  return to_number(env, clock_micros(CLOCK_BOOTTIME_));
}
static napi_value fn_realtime(napi_env env, napi_callback_info info) {
  (void)info;
  return to_number(env, clock_micros(CLOCK_REALTIME_));
}

// -------------------------------------------------------------------------------------------- set-up of sockets

#define NAME_MAX 128        // sockaddr_storage
#define OPTION_MAX 65536
#define INSTRUCTION_MAX 4096  // BPF_MAXINSNS

static napi_value fn_socket(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  int64_t domain, type, protocol;
  if (!enter(env, info, 3, argv) || !get_integer(env, argv[0], "domain", 0, 255, &domain) ||
      !get_integer(env, argv[1], "type", SOCK_DGRAM_, SOCK_RAW_, &type) ||
      !get_integer(env, argv[2], "protocol", 0, INT32_MAX, &protocol))
    return NULL;
  switch (domain) {
    case AF_UNIX_: case AF_INET_: case AF_INET6_: case AF_NETLINK_: case AF_PACKET_: break;
    default: bad_range(env, "domain", "is none of those offered"); return NULL;
  }
  return adopt(env, SYS3(__NR_socket, domain, type | SOCK_CLOEXEC_ | SOCK_NONBLOCK_, protocol), "socket");
}

static napi_value fn_close(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int index;
  if (!enter(env, info, 1, argv) || !acquire(env, argv[0], "close", &index)) return NULL;
  const bool first = retire(index);
  release(index);
  return first ? NULL : throw_errno(env, EBADF_, "close");
}

static napi_value with_address(napi_env env, napi_callback_info info, long number, const char *syscall) {
  napi_value argv[2];
  uint8_t *address;
  size_t length;
  int index;
  if (!enter(env, info, 2, argv) || !get_bytes(env, argv[1], "address", 2, &address, &length)) return NULL;
  if (length > NAME_MAX) { bad_range(env, "address", "is longer than a sockaddr"); return NULL; }
  if (!acquire(env, argv[0], syscall, &index)) return NULL;
  return finish(env, index, SYS3(number, slots[index].fd, address, length), syscall);
}
static napi_value fn_bind(napi_env env, napi_callback_info info) { return with_address(env, info, __NR_bind, "bind"); }
static napi_value fn_connect(napi_env env, napi_callback_info info) {
  return with_address(env, info, __NR_connect, "connect");
}

static napi_value fn_getsockname(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  uint8_t *out;
  size_t length;
  int index;
  if (!enter(env, info, 2, argv) || !get_bytes(env, argv[1], "out", 2, &out, &length) ||
      !acquire(env, argv[0], "getsockname", &index))
    return NULL;
  int32_t used = length > NAME_MAX ? NAME_MAX : (int32_t)length;
  const long result = SYS3(__NR_getsockname, slots[index].fd, out, &used);
  release(index);
  return result < 0 ? throw_errno(env, -result, "getsockname") : to_int(env, used);
}

/// Options whose value carries an address (filters, iptables and its relatives), which the kernel would read or write.
/// SO_ATTACH_FILTER is SO_GET_FILTER for getsockopt, which counts its length in instructions instead of bytes.
static bool carries_address(int64_t level, int64_t name) {
  return (level == SOL_SOCKET_ && (name == SO_ATTACH_FILTER_ || name == SO_ATTACH_REUSEPORT_CBPF_)) ||
         (level == SOL_IP_ && name >= 64) || (level == SOL_IPV6_ && (name == 64 || name == 65)) ||
         (level == SOL_PACKET_ && name == PACKET_FANOUT_DATA_);
}

static napi_value fn_setsockopt(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  int64_t level, name, number;
  uint8_t *data;
  size_t length;
  int32_t word;
  int index;
  napi_valuetype type;
  if (!enter(env, info, 4, argv) || !get_integer(env, argv[1], "level", 0, INT32_MAX, &level) ||
      !get_integer(env, argv[2], "option", 0, INT32_MAX, &name))
    return NULL;
  if (carries_address(level, name)) { bad_range(env, "option", "carries an address and is not offered"); return NULL; }
  if (napi_typeof(env, argv[3], &type) == napi_ok && type == napi_number) {
    if (!get_integer(env, argv[3], "value", INT32_MIN, UINT32_MAX, &number)) return NULL;
    word = (int32_t)number;
    data = (uint8_t *)&word;
    length = sizeof word;
  } else {
    if (!get_bytes(env, argv[3], "value", 0, &data, &length)) return NULL;
    if (length > OPTION_MAX) { bad_range(env, "value", "is too long"); return NULL; }
  }
  if (!acquire(env, argv[0], "setsockopt", &index)) return NULL;
  return finish(env, index, SYS5(__NR_setsockopt, slots[index].fd, level, name, data, length), "setsockopt");
}

static napi_value fn_getsockopt(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  int64_t level, name;
  uint8_t *data;
  size_t length;
  int index;
  if (!enter(env, info, 4, argv) || !get_integer(env, argv[1], "level", 0, INT32_MAX, &level) ||
      !get_integer(env, argv[2], "option", 0, INT32_MAX, &name) ||
      !get_bytes(env, argv[3], "out", 0, &data, &length))
    return NULL;
  if (carries_address(level, name)) { bad_range(env, "option", "carries an address and is not offered"); return NULL; }
  if (!acquire(env, argv[0], "getsockopt", &index)) return NULL;
  int32_t used = length > OPTION_MAX ? OPTION_MAX : (int32_t)length;
  const long result = SYS5(__NR_getsockopt, slots[index].fd, level, name, data, &used);
  release(index);
  return result < 0 ? throw_errno(env, -result, "getsockopt") : to_int(env, used);
}

static napi_value fn_attach_filter(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  uint8_t *program;
  size_t length;
  int index;
  if (!enter(env, info, 2, argv) || !get_bytes(env, argv[1], "program", 8, &program, &length)) return NULL;
  if (length % 8 || length / 8 > INSTRUCTION_MAX) {
    bad_range(env, "program", "must be 1 to 4096 instructions of 8 bytes");
    return NULL;
  }
  if (!acquire(env, argv[0], "setsockopt", &index)) return NULL;
  struct sock_fprog filter = {(uint16_t)(length / 8), program};
  const long result = SYS5(__NR_setsockopt, slots[index].fd, SOL_SOCKET_, SO_ATTACH_FILTER_, &filter, sizeof filter);
  return finish(env, index, result, "setsockopt");
}

// -------------------------------------------------------------------------------------------- sending, receiving

#define SEND_MAX 256
#define RECEIVE_MAX 64
#define CONTROL_SIZE 192
#define SEND_FLAGS (MSG_DONTROUTE_ | MSG_DONTWAIT_ | MSG_CONFIRM_ | MSG_NOSIGNAL_)

enum { TX_OFFSET, TX_LENGTH, TX_NAME_OFFSET, TX_NAME_LENGTH, TX_CONTROL_OFFSET, TX_CONTROL_LENGTH, TX_WORDS };
enum { RX_LENGTH, RX_FLAGS, RX_TTL, RX_IFINDEX, RX_SOURCE_LENGTH, RX_DESTINATION_LENGTH, RX_WORDS };
#define SOURCE_SIZE 32
#define ADDRESS_SIZE 48  // source sockaddr, then 16 bytes of destination

static bool get_send_flags(napi_env env, napi_value value, int64_t *flags) {
  if (!get_integer(env, value, "flags", 0, INT32_MAX, flags)) return false;
  if (*flags & ~(int64_t)SEND_FLAGS) return bad_range(env, "flags", "may only be DONTROUTE, DONTWAIT, CONFIRM, NOSIGNAL");
  *flags |= MSG_DONTWAIT_ | MSG_NOSIGNAL_;
  return true;
}

static bool inside(int64_t offset, int64_t length, size_t size) {
  return offset >= 0 && length >= 0 && offset <= (int64_t)size && length <= (int64_t)size - offset;
}

static napi_value fn_sendmsg(napi_env env, napi_callback_info info) {
  napi_value argv[5];
  int64_t flags;
  uint8_t *data, *name = NULL, *control = NULL;
  size_t length, name_length = 0, control_length = 0;
  int index;
  if (!enter(env, info, 5, argv) || !get_bytes(env, argv[1], "data", 0, &data, &length) ||
      (!is_undefined(env, argv[2]) && !get_bytes(env, argv[2], "address", 2, &name, &name_length)) ||
      (!is_undefined(env, argv[3]) && !get_bytes(env, argv[3], "control", 0, &control, &control_length)) ||
      !get_send_flags(env, argv[4], &flags))
    return NULL;
  if (name_length > NAME_MAX) { bad_range(env, "address", "is longer than a sockaddr"); return NULL; }
  if (control_length > OPTION_MAX) { bad_range(env, "control", "is too long"); return NULL; }
  if (!acquire(env, argv[0], "sendmsg", &index)) return NULL;
  struct iovec iov = {data, length};
  struct msghdr message = {name, (int32_t)name_length, &iov, 1, control, control_length, 0};
  const long result = SYS3(__NR_sendmsg, slots[index].fd, &message, flags);
  release(index);
  return to_int(env, result);
}

static napi_value fn_sendmmsg(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  int64_t first, count, flags;
  uint8_t *arena;
  int32_t *table;
  size_t size, words;
  int index;
  if (!enter(env, info, 6, argv) || !get_bytes(env, argv[1], "arena", 0, &arena, &size) ||
      !get_view(env, argv[2], napi_int32_array, "table", TX_WORDS, (void **)&table, &words) ||
      !get_integer(env, argv[3], "first", 0, INT32_MAX, &first) ||
      !get_integer(env, argv[4], "count", 1, SEND_MAX, &count) || !get_send_flags(env, argv[5], &flags))
    return NULL;
  if ((size_t)(first + count) > words / TX_WORDS) { bad_range(env, "table", "is too short"); return NULL; }
  struct mmsghdr messages[SEND_MAX];
  struct iovec iov[SEND_MAX];
  for (int64_t i = 0; i < count; i++) {
    int32_t row[TX_WORDS];
    for (int word = 0; word < TX_WORDS; word++)
      row[word] = __atomic_load_n(&table[(first + i) * TX_WORDS + word], __ATOMIC_RELAXED);
    if (!inside(row[TX_OFFSET], row[TX_LENGTH], size) || !inside(row[TX_NAME_OFFSET], row[TX_NAME_LENGTH], size) ||
        !inside(row[TX_CONTROL_OFFSET], row[TX_CONTROL_LENGTH], size) || row[TX_NAME_LENGTH] > NAME_MAX ||
        row[TX_CONTROL_LENGTH] > OPTION_MAX) {
      bad_range(env, "table", "points outside the arena");
      return NULL;
    }
    iov[i] = (struct iovec){arena + row[TX_OFFSET], (size_t)row[TX_LENGTH]};
    messages[i] = (struct mmsghdr){
      {row[TX_NAME_LENGTH] ? arena + row[TX_NAME_OFFSET] : NULL, row[TX_NAME_LENGTH], &iov[i], 1,
       row[TX_CONTROL_LENGTH] ? arena + row[TX_CONTROL_OFFSET] : NULL, (size_t)row[TX_CONTROL_LENGTH], 0},
      0,
    };
  }
  if (!acquire(env, argv[0], "sendmmsg", &index)) return NULL;
  const long result = SYS4(__NR_sendmmsg, slots[index].fd, messages, count, flags);
  release(index);
  return to_int(env, result);
}

/// Reads the control messages that the kernel wrote into our own memory.
static void read_control(const struct msghdr *header, int32_t *row, uint8_t *destination, double *time) {
  size_t at = 0;
  while (at + sizeof(struct cmsghdr) <= header->control_length) {
    const uint8_t *base = (const uint8_t *)header->control + at;
    struct cmsghdr part;
    memcpy(&part, base, sizeof part);
    if (part.length < sizeof part || part.length > header->control_length - at) return;
    const uint8_t *data = base + sizeof part;
    const size_t length = part.length - sizeof part;
    if (part.level == SOL_SOCKET_ && part.type == SCM_TIMESTAMPNS_ && length >= sizeof(struct timespec64)) {
      struct timespec64 stamp;
      memcpy(&stamp, data, sizeof stamp);
      *time = (double)stamp.sec * 1e6 + (double)stamp.nsec / 1e3;
    } else if (length >= 4 && ((part.level == SOL_IP_ && part.type == IP_TTL_) ||
                               (part.level == SOL_IPV6_ && part.type == IPV6_HOPLIMIT_))) {
      memcpy(&row[RX_TTL], data, 4);
    } else if (part.level == SOL_IP_ && part.type == IP_PKTINFO_ && length >= 12) {
      memcpy(&row[RX_IFINDEX], data, 4);
      memcpy(destination, data + 8, 4);
      row[RX_DESTINATION_LENGTH] = 4;
    } else if (part.level == SOL_IPV6_ && part.type == IPV6_PKTINFO_ && length >= 20) {
      memcpy(destination, data, 16);
      memcpy(&row[RX_IFINDEX], data + 16, 4);
      row[RX_DESTINATION_LENGTH] = 16;
    }
    at += (part.length + 7) & ~(size_t)7;
  }
}

static napi_value fn_recvmmsg(napi_env env, napi_callback_info info) {
  napi_value argv[7];
  int64_t stride, count;
  uint8_t *arena, *addresses;
  int32_t *table;
  double *times;
  size_t size, address_size, words, time_count;
  int index;
  if (!enter(env, info, 7, argv) || !get_bytes(env, argv[1], "arena", 1, &arena, &size) ||
      !get_integer(env, argv[2], "stride", 1, INT32_MAX, &stride) ||
      !get_integer(env, argv[3], "count", 1, RECEIVE_MAX, &count) ||
      !get_view(env, argv[4], napi_int32_array, "table", (size_t)count * RX_WORDS, (void **)&table, &words) ||
      !get_bytes(env, argv[5], "addresses", (size_t)count * ADDRESS_SIZE, &addresses, &address_size) ||
      !get_view(env, argv[6], napi_float64_array, "times", (size_t)count, (void **)&times, &time_count))
    return NULL;
  if ((uint64_t)stride * (uint64_t)count > size) { bad_range(env, "arena", "is shorter than count strides"); return NULL; }
  struct mmsghdr messages[RECEIVE_MAX];
  struct iovec iov[RECEIVE_MAX];
  uint8_t control[RECEIVE_MAX][CONTROL_SIZE] __attribute__((aligned(8)));
  for (int64_t i = 0; i < count; i++) {
    iov[i] = (struct iovec){arena + i * stride, (size_t)stride};
    messages[i] = (struct mmsghdr){
      {addresses + i * ADDRESS_SIZE, SOURCE_SIZE, &iov[i], 1, control[i], CONTROL_SIZE, 0}, 0};
  }
  if (!acquire(env, argv[0], "recvmmsg", &index)) return NULL;
  const long result = SYS5(__NR_recvmmsg, slots[index].fd, messages, count, MSG_DONTWAIT_ | MSG_TRUNC_, NULL);
  release(index);
  for (long i = 0; i < result; i++) {
    const struct msghdr *header = &messages[i].header;
    int32_t row[RX_WORDS] = {0};
    double time = 0;
    row[RX_LENGTH] = (int64_t)messages[i].length > stride ? (int32_t)stride : (int32_t)messages[i].length;
    row[RX_FLAGS] = (int32_t)header->flags;
    row[RX_TTL] = -1;
    row[RX_SOURCE_LENGTH] = header->name_length > SOURCE_SIZE ? SOURCE_SIZE : header->name_length;
    read_control(header, row, addresses + i * ADDRESS_SIZE + SOURCE_SIZE, &time);
    memcpy(&table[i * RX_WORDS], row, sizeof row);
    times[i] = time;
  }
  return to_int(env, result);
}

static napi_value fn_recv(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  uint8_t *data;
  size_t length;
  int index;
  if (!enter(env, info, 2, argv) || !get_bytes(env, argv[1], "buffer", 1, &data, &length) ||
      !acquire(env, argv[0], "recv", &index))
    return NULL;
  if (length > INT32_MAX) length = INT32_MAX;
  const long result = SYS6(__NR_recvfrom, slots[index].fd, data, length, MSG_DONTWAIT_ | MSG_TRUNC_, NULL, NULL);
  release(index);
  return to_int(env, result);
}

// ------------------------------------------------------------------------------------------ waiting and waking

#define POLL_MAX 256

static napi_value fn_ppoll(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  int64_t count;
  double *handles, deadline;
  int32_t *ready;
  size_t handle_count, ready_count;
  if (!enter(env, info, 4, argv) || !get_integer(env, argv[2], "count", 0, POLL_MAX, &count) ||
      !get_view(env, argv[0], napi_float64_array, "handles", (size_t)count, (void **)&handles, &handle_count) ||
      !get_view(env, argv[1], napi_int32_array, "ready", (size_t)count, (void **)&ready, &ready_count) ||
      !get_double(env, argv[3], "deadline", &deadline))
    return NULL;
  if (deadline != deadline) { bad_range(env, "deadline", "is not a number"); return NULL; }
  struct pollfd polled[POLL_MAX];
  int held[POLL_MAX];
  int64_t taken = 0;
  for (; taken < count; taken++) {
    held[taken] = try_acquire(handles[taken]);
    if (held[taken] < 0) break;
    polled[taken] = (struct pollfd){slots[held[taken]].fd, POLLIN_, 0};
  }
  long result = -EBADF_;
  if (taken == count) {
    struct timespec64 timeout = {0, 0};
    const double left = deadline - clock_micros(CLOCK_MONOTONIC_);
    const bool forever = left > 1e15;
    if (left > 0 && !forever) {
      timeout.sec = (int64_t)(left / 1e6);
      timeout.nsec = (int64_t)((left - (double)timeout.sec * 1e6) * 1e3);
      if (timeout.nsec > 999999999) timeout.nsec = 999999999;
      if (timeout.nsec < 0) timeout.nsec = 0;
    }
    result = SYS5(__NR_ppoll, polled, count, forever ? NULL : &timeout, NULL, 8);
    for (int64_t i = 0; i < count; i++) ready[i] = result > 0 ? polled[i].revents : 0;
  }
  for (int64_t i = 0; i < taken; i++) release(held[i]);
  return taken == count ? to_int(env, result) : throw_errno(env, EBADF_, "ppoll");
}

static napi_value fn_eventfd(napi_env env, napi_callback_info info) {
  (void)info;
  return adopt(env, SYS2(__NR_eventfd2, 0, SOCK_CLOEXEC_ | SOCK_NONBLOCK_), "eventfd");  // EFD_ flags have the same values
}

static napi_value fn_signal(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int index;
  if (!enter(env, info, 1, argv) || !acquire(env, argv[0], "write", &index)) return NULL;
  const uint64_t one = 1;
  const long result = SYS3(__NR_write, slots[index].fd, &one, sizeof one);
  release(index);
  return to_int(env, result < 0 ? result : 0);
}

static napi_value fn_drain(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int index;
  if (!enter(env, info, 1, argv) || !acquire(env, argv[0], "read", &index)) return NULL;
  uint64_t count = 0;
  const long result = SYS3(__NR_read, slots[index].fd, &count, sizeof count);
  release(index);
  return result == sizeof count ? to_number(env, (double)count) : to_int(env, result < 0 ? result : 0);
}

// -------------------------------------------------------------------------------------- the thread, the process

#define SCHED_RESET_ON_FORK_ 0x40000000

static napi_value fn_set_scheduler(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  int64_t policy, priority;
  if (!enter(env, info, 2, argv) || !get_integer(env, argv[0], "policy", 0, INT32_MAX, &policy) ||
      !get_integer(env, argv[1], "priority", 0, 99, &priority))
    return NULL;
  if ((policy & ~(int64_t)SCHED_RESET_ON_FORK_) > 2) { bad_range(env, "policy", "must be OTHER, FIFO or RR"); return NULL; }
  const int32_t parameter = (int32_t)priority;
  const long result = SYS3(__NR_sched_setscheduler, 0, policy, &parameter);
  return result < 0 ? throw_errno(env, -result, "sched_setscheduler") : NULL;
}

static napi_value fn_get_scheduler(napi_env env, napi_callback_info info) {
  (void)info;
  return to_int(env, SYS1(__NR_sched_getscheduler, 0));
}

static napi_value fn_setns(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  int64_t fd, kind;
  if (!enter(env, info, 2, argv) || !get_integer(env, argv[0], "fd", 0, INT32_MAX, &fd) ||
      !get_integer(env, argv[1], "type", 0, INT32_MAX, &kind))
    return NULL;
  const long result = SYS2(__NR_setns, fd, kind);
  return result < 0 ? throw_errno(env, -result, "setns") : NULL;
}

static napi_value fn_prctl(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  int64_t option, value;
  if (!enter(env, info, 2, argv) || !get_integer(env, argv[0], "option", 0, INT32_MAX, &option) ||
      !get_integer(env, argv[1], "value", 0, INT32_MAX, &value))
    return NULL;
  switch (option) {  // only those whose arguments are plain numbers, never an address
    case 1: case 3: case 4: case 8: case 29: case 30: case 38: case 39: break;
    default: bad_range(env, "option", "is none of those offered"); return NULL;
  }
  const long result = SYS5(__NR_prctl, option, value, 0, 0, 0);
  return result < 0 ? throw_errno(env, -result, "prctl") : to_number(env, (double)result);
}

static napi_value fn_ignore_signal(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int64_t number;
  if (!enter(env, info, 1, argv) || !get_integer(env, argv[0], "signal", 1, 64, &number)) return NULL;
  if (number >= 32 && number <= 34) { bad_range(env, "signal", "belongs to the C library"); return NULL; }
  struct sigaction action = {{1}};  // SIG_IGN
  const long result = SYS4(__NR_rt_sigaction, number, &action, NULL, 8);
  return result < 0 ? throw_errno(env, -result, "rt_sigaction") : NULL;
}

// Signals that Node has no way to handle (all real-time ones). The handler counts the signal and sends this process
// SIGIO, which Node does hand to JavaScript; that then takes the counts. So neither a thread nor a descriptor has to be
// watched. signalfd(2) would need the signals blocked in every thread, also in those that V8 started before this file
// was loaded. The handler stays for the life of the process: the addon is never unloaded (-z nodelete).

static uint32_t arrived[65];

static void on_signal(int number) {
  // async-signal-safe: a lock-free addition and two plain system calls, which leave the C library's errno alone
  __atomic_fetch_add(&arrived[number], 1, __ATOMIC_RELAXED);
  SYS2(__NR_kill, SYS0(__NR_getpid), SIGIO_);
}

#if defined(__x86_64__)
// x86-64 alone has no return from a signal handler of the kernel's own.
__attribute__((naked, visibility("hidden"), used)) void return_from_signal(void) {
  __asm__ volatile("mov %0, %%eax\n\tsyscall" : : "i"(__NR_rt_sigreturn));
}
#endif

static napi_value fn_catch_signal(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int64_t number;
  if (!enter(env, info, 1, argv) || !get_integer(env, argv[0], "signal", 35, 64, &number)) return NULL;
  struct sigaction action = {{(uintptr_t)on_signal, SA_ONSTACK_ | SA_RESTART_}};
#if defined(__x86_64__)
  action.words[1] |= SA_RESTORER_;
  action.words[2] = (uintptr_t)return_from_signal;
#endif
  const long result = SYS4(__NR_rt_sigaction, number, &action, NULL, 8);
  return result < 0 ? throw_errno(env, -result, "rt_sigaction") : NULL;
}

static napi_value fn_take_signal(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int64_t number;
  if (!enter(env, info, 1, argv) || !get_integer(env, argv[0], "signal", 35, 64, &number)) return NULL;
  return to_number(env, (double)__atomic_exchange_n(&arrived[number], 0, __ATOMIC_RELAXED));
}

static napi_value fn_gettid(napi_env env, napi_callback_info info) {
  (void)info;
  return to_int(env, SYS0(__NR_gettid));
}

static napi_value fn_errno_name(napi_env env, napi_callback_info info) {
  napi_value argv[1], value = NULL;
  int64_t number;
  if (!enter(env, info, 1, argv) || !get_integer(env, argv[0], "errno", INT32_MIN, INT32_MAX, &number)) return NULL;
  napi_create_string_utf8(env, errno_name(number < 0 ? -number : number), NAPI_AUTO_LENGTH, &value);
  return value;
}

// -------------------------------------------------------------------------------------------------- the module

NAPI_MODULE_INIT() {
  static const struct { const char *name; napi_callback function; } table[] = {
    {"socket", fn_socket}, {"close", fn_close}, {"bind", fn_bind}, {"connect", fn_connect},
    {"getsockname", fn_getsockname}, {"setsockopt", fn_setsockopt}, {"getsockopt", fn_getsockopt},
    {"attachFilter", fn_attach_filter}, {"sendmsg", fn_sendmsg}, {"sendmmsg", fn_sendmmsg},
    {"recvmmsg", fn_recvmmsg}, {"recv", fn_recv}, {"ppoll", fn_ppoll}, {"eventfd", fn_eventfd},
    {"signal", fn_signal}, {"drain", fn_drain}, {"setScheduler", fn_set_scheduler},
    {"getScheduler", fn_get_scheduler}, {"setns", fn_setns}, {"prctl", fn_prctl},
    {"ignoreSignal", fn_ignore_signal}, {"catchSignal", fn_catch_signal}, {"takeSignal", fn_take_signal},
    {"gettid", fn_gettid}, {"monotonic", fn_monotonic}, {"boottime", fn_boottime}, {"realtime", fn_realtime}, {"errnoName", fn_errno_name},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    napi_value function;
    if (napi_create_function(env, table[i].name, NAPI_AUTO_LENGTH, table[i].function, NULL, &function) != napi_ok ||
        napi_set_named_property(env, exports, table[i].name, function) != napi_ok)
      return NULL;
  }
  // `env` is new for every load, so the pair is unique, as the hook demands
  if (napi_add_env_cleanup_hook(env, close_all_of, env) != napi_ok) return NULL;
  return exports;
}
