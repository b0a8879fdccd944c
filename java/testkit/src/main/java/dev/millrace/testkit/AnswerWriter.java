// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * Writes one answer with its faults to a client; the one place that does. Belongs to the connection's thread.
 */
final class AnswerWriter {
    private static final int BLOCK = 64 << 10;
    /** What the peer gets to fetch what was sent before a reset throws it away. */
    private static final Duration BEFORE_RESET = Duration.ofMillis(30);

    /** How a writer waits: for a time, while the server is stopped, and until it is released. */
    interface Pauses {
        /** Waits; throws if the server is closed meanwhile. */
        void pause(Duration time) throws IOException;

        /** Waits while the server is stopped; throws if it is closed meanwhile. */
        void whileStopped() throws IOException;

        /** Waits until a release comes that no other wait has taken; throws if the server is closed meanwhile. */
        void untilReleased() throws IOException;
    }

    /** The exchange has ended on purpose, and the connection with it. */
    private static final class Ended extends Exception {}

    private final Socket socket;
    private final OutputStream out;
    private final Pauses pauses;

    AnswerWriter(Socket socket, Pauses pauses) throws IOException {
        this.socket = socket;
        this.out = new BufferedOutputStream(socket.getOutputStream(), BLOCK);
        this.pauses = pauses;
    }

    /** Lets the client send the body it announced with {@code Expect: 100-continue}. */
    void writeContinue() throws IOException {
        out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    /** Ends the connection: closed by FIN, or by RST. */
    void end(FaultPlan.End how) throws IOException {
        if (how == FaultPlan.End.RESET) {
            pauses.pause(BEFORE_RESET);
            socket.setSoLinger(true, 0);
        }
        socket.close();
    }

    /** Writes the answer; true if the connection can carry another exchange. */
    boolean write(Request request, Answer answer, FaultPlan plan) throws IOException {
        int status = plan.status.orElse(answer.status());
        boolean bodiless = request.isHead() || status == 204 || status == 304;
        InputStream body = answer.body();
        OptionalLong length = answer.length();
        if (plan.errorBody.isPresent()) {
            byte[] text = paddedError(plan.errorBody.get(), length);
            body = Content.of(text).stream();
            length = OptionalLong.of(text.length);
        }
        if (plan.truncate.isPresent()) {
            length = OptionalLong.of(Math.min(plan.truncate.getAsLong(), length.orElse(Long.MAX_VALUE)));
        }
        boolean chunked = !plan.unframed && (plan.chunkBytes.isPresent() || length.isEmpty());
        Headers headers = answer.headers().without("Content-Length").without("Transfer-Encoding");
        if (plan.unframed) {
            headers = headers.with("Connection", "close");
        } else if (chunked) {
            headers = headers.plus("Transfer-Encoding", "chunked");
        } else {
            headers = headers.plus("Content-Length", Long.toString(length.getAsLong()));
        }
        headers = plan.edit(headers);
        boolean keep = !plan.unframed
                && !plan.liesAboutLength()
                && !headers.lists("Connection", "close")
                && !request.headers().lists("Connection", "close");
        try {
            pauses.whileStopped();
            out.write(new HttpWire.Head("HTTP/1.1 " + status + " " + HttpWire.reason(status), headers).toBytes());
            if (!bodiless) {
                writeBody(body, length, chunked, plan);
            }
            out.flush();
            if (plan.endAfterBody.isPresent()) {
                end(plan.endAfterBody.get());
                return false;
            }
            return keep;
        } catch (Ended e) {
            return false;
        }
    }

    private void writeBody(InputStream body, OptionalLong length, boolean chunked, FaultPlan plan)
            throws IOException, Ended {
        byte[] block = new byte[(int) plan.chunkBytes.orElse(BLOCK)];
        long at = 0;
        events(plan, at);
        while (true) {
            pauses.whileStopped();
            int want = (int) Math.min(block.length, length.orElse(Long.MAX_VALUE) - at);
            int count = plan.chunkBytes.isPresent() ? body.readNBytes(block, 0, want) : body.read(block, 0, want);
            if (want == 0 || count <= 0) {
                if (want > 0 && length.isPresent()) {
                    throw new IOException("A body ended at byte " + at + " of " + length.getAsLong() + ".");
                }
                break;
            }
            for (long corrupt : plan.corrupt) {
                if (corrupt >= at && corrupt < at + count) {
                    block[(int) (corrupt - at)] ^= (byte) 0xFF;
                }
            }
            if (chunked) {
                out.write((Integer.toHexString(count) + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
            }
            writePayload(block, count, at, plan);
            at += count;
            if (chunked) {
                out.write('\r');
                out.write('\n');
            }
            if (body.available() <= 0) {
                out.flush();
            }
        }
        if (chunked) {
            out.write("0\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
        }
        byte[] extra = new byte[(int) Math.min(BLOCK, plan.extraBytes)];
        Arrays.fill(extra, (byte) 'x');
        for (long left = plan.extraBytes; left > 0; left -= extra.length) {
            out.write(extra, 0, (int) Math.min(extra.length, left));
        }
    }

    /** Writes one block, and does what the plan has for each offset within it and at its end. */
    private void writePayload(byte[] block, int count, long at, FaultPlan plan) throws IOException, Ended {
        int trickle = plan.trickle.map(Fault.Trickle::bytes).orElse(Integer.MAX_VALUE);
        for (int done = 0; done < count; ) {
            int piece = (int) Math.min(Math.min(count - done, trickle), plan.nextEvent() - at - done);
            out.write(block, done, piece);
            done += piece;
            if (plan.trickle.isPresent()) {
                out.flush();
                pauses.pause(plan.trickle.get().interval());
                pauses.whileStopped();
            }
            events(plan, at + done);
        }
    }

    private void events(FaultPlan plan, long at) throws IOException, Ended {
        for (FaultPlan.Event event : plan.takeEvents(at)) {
            out.flush();
            pauses.pause(event.pause());
            if (event.hold()) {
                pauses.untilReleased();
            }
            if (event.end().isPresent()) {
                end(event.end().get());
                throw new Ended();
            }
        }
    }

    /** An error document of exactly that length: padded by white space, or cut off. */
    private static byte[] paddedError(String code, OptionalLong length) {
        byte[] text = S3Xml.error(code, S3Xml.say(code)).getBytes(StandardCharsets.UTF_8);
        if (length.isEmpty()) {
            return text;
        }
        if (length.getAsLong() > 64 << 20) {
            throw new IllegalStateException("An error body in place of " + length.getAsLong()
                    + " bytes is more than the 64 MiB that a test server makes.");
        }
        byte[] padded = Arrays.copyOf(text, (int) length.getAsLong());
        if (padded.length > text.length) {
            Arrays.fill(padded, text.length, padded.length, (byte) ' ');
        }
        return padded;
    }
}
