/* SPDX-License-Identifier: Apache-2.0 */
/* What the generated glue needs beside the ABI. Included by it, so that both are one translation unit. */
#ifndef MILLRACE_JNI_H
#define MILLRACE_JNI_H

#include <dlfcn.h>
#include <jni.h>
#include <link.h>

/* Whether this very library has a symbol. It is asked of its own link map: the file may bear any name, have been
 * unlinked after loading, or be loaded a second time by another class loader. */
static inline bool millrace_jni_has(JNIEnv *env, jclass, jstring symbol) {
  static const char here = 0;
  Dl_info info;
  struct link_map *self = nullptr;
  if (symbol == nullptr || dladdr1(&here, &info, reinterpret_cast<void **>(&self), RTLD_DL_LINKMAP) == 0) {
    return false;
  }
  const char *name = env->GetStringUTFChars(symbol, nullptr);
  if (name == nullptr) {
    return false;
  }
  bool found = dlsym(self, name) != nullptr;
  env->ReleaseStringUTFChars(symbol, name);
  return found;
}

static inline jobject millrace_jni_view(JNIEnv *env, jclass, jlong address, jlong length) {
  return env->NewDirectByteBuffer(reinterpret_cast<void *>(address), length);
}

#endif
