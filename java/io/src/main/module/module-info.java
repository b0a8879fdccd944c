// SPDX-License-Identifier: Apache-2.0

/** File I/O on io_uring, epoll or pure Java. */
@SuppressWarnings("requires-automatic") // the bindings are automatic, by which each of them that is there is resolved
module dev.millrace.io {
    requires dev.millrace.bindings;
    requires static jdk.jfr; // events, where the run-time image has them
    requires jdk.unsupported; // direct I/O of the engine in pure Java
    requires org.jctools.core;
    requires org.slf4j;

    exports dev.millrace.io;
    exports dev.millrace.io.engine;
}
