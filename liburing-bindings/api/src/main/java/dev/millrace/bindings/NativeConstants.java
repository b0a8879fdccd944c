// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

/**
 * Constants, sizes and field offsets of the ABI, read from the loaded library once: {@code O_DIRECT} and its like are
 * not the same number on every processor. The numbers in the constructor are those of {@code enum mr_constant_id}.
 */
public final class NativeConstants {
    /** {@code MR_ABI_VERSION} that this class was written for. */
    public static final int ABI_VERSION = 1;

    public final int opSize;
    public final int completionSize;
    public final int configSize;
    public final int reportSize;
    public final int statsSize;
    public final int probeSize;
    public final int statSize;

    public final int opCode;
    public final int opFlags;
    public final int opFd;
    public final int opOffset;
    public final int opAddress;
    public final int opLength;
    public final int opBuffer;
    public final int opExtra;
    public final int opArg;
    public final int opArg2;
    public final int opToken;
    public final int completionToken;
    public final int completionResult;

    public final int oRdonly;
    public final int oWronly;
    public final int oRdwr;
    public final int oCreat;
    public final int oExcl;
    public final int oTrunc;
    public final int oDirect;
    public final int oDirectory;
    public final int oNofollow;
    public final int afInet;
    public final int afInet6;
    public final int sockStream;
    public final int pollIn;
    public final int pollOut;

    private final NativeIo nativeIo;

    /**
     * Reads all constants.
     *
     * @throws BindingUnavailableException where the library speaks another version of the ABI, or lacks a constant
     */
    public NativeConstants(NativeIo nativeIo) throws BindingUnavailableException {
        this.nativeIo = nativeIo;
        int version = nativeIo.abiVersion();
        if (version != ABI_VERSION) {
            throw new BindingUnavailableException("libmillrace speaks version " + version
                    + " of the interface and these classes version " + ABI_VERSION
                    + ": use the library and the jars of one release");
        }
        opSize = read(1);
        completionSize = read(2);
        configSize = read(3);
        reportSize = read(4);
        statsSize = read(5);
        probeSize = read(6);
        statSize = read(7);
        opCode = read(10);
        opFlags = read(11);
        opFd = read(12);
        opOffset = read(13);
        opAddress = read(14);
        opLength = read(15);
        opBuffer = read(16);
        opExtra = read(17);
        opArg = read(18);
        opArg2 = read(19);
        opToken = read(20);
        completionToken = read(30);
        completionResult = read(31);
        oRdonly = read(40);
        oWronly = read(41);
        oRdwr = read(42);
        oCreat = read(43);
        oExcl = read(44);
        oTrunc = read(45);
        oDirect = read(46);
        oDirectory = read(47);
        oNofollow = read(48);
        afInet = read(60);
        afInet6 = read(61);
        sockStream = read(62);
        pollIn = read(63);
        pollOut = read(64);
    }

    private int read(int id) throws BindingUnavailableException {
        long value = nativeIo.constant(id);
        if (value == Long.MIN_VALUE) {
            throw new BindingUnavailableException("libmillrace does not know constant number " + id
                    + ": use the library and the jars of one release");
        }
        if (value != (int) value) {
            throw new BindingUnavailableException("libmillrace says " + value + " for constant number " + id
                    + ", which is no size or flag: use the library and the jars of one release");
        }
        return (int) value;
    }
}
