// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * A list of what to fetch: on each line a SOURCE and, after a tab, where it goes below the target. Lines end in LF or
 * CR LF; empty ones are skipped. It is read as a whole and checked before anything is fetched, so that a slip of the pen
 * in the last line costs no download; it is kept as the bytes that came.
 */
final class Manifest implements Iterable<Manifest.Line> {
    /** Largest manifest, in bytes. */
    static final int MAX_BYTES = 64 << 20;

    private static final int MAX_LINE_BYTES = 16 << 10;

    private final byte[] text;
    private final long lines;

    private Manifest(byte[] text, long lines) {
        this.text = text;
        this.lines = lines;
    }

    /**
     * A line.
     *
     * @param source what to fetch
     * @param target where it goes below the target, with a slash at its end for a folder; empty where nothing is said
     */
    record Line(SourceSpec source, String target) {}

    /**
     * Reads and checks all of it.
     *
     * @param name for messages
     */
    static Manifest read(InputStream in, String name) throws CommandFailure, IOException {
        byte[] text = in.readNBytes(MAX_BYTES + 1);
        if (text.length > MAX_BYTES) {
            throw CommandFailure.failed(
                    "The manifest " + name + " is larger than " + (MAX_BYTES >> 20) + " MiB: split it into several");
        }
        LineReader reader = new LineReader(text);
        long lines = 0;
        try {
            while (reader.hasNext()) {
                reader.next();
                lines++;
            }
        } catch (IllegalArgumentException e) {
            throw CommandFailure.failed(
                    "Line " + reader.number() + " of the manifest " + name + " is bad: " + e.getMessage());
        }
        if (lines == 0) {
            throw CommandFailure.failed("The manifest " + name + " is empty");
        }
        return new Manifest(text, lines);
    }

    /** How many lines name a source. */
    long size() {
        return lines;
    }

    @Override
    public Iterator<Line> iterator() {
        return new LineReader(text);
    }

    private static final class LineReader implements Iterator<Line> {
        private final byte[] text;
        private int at;
        private int number;

        LineReader(byte[] text) {
            this.text = text;
            skipEmpty();
        }

        int number() {
            return number;
        }

        @Override
        public boolean hasNext() {
            return at < text.length;
        }

        @Override
        public Line next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            int start = at;
            int end = endOfLine(start);
            at = end + 1;
            number++;
            Line line = parse(start, cutReturn(start, end));
            skipEmpty();
            return line;
        }

        private int endOfLine(int from) {
            int end = from;
            while (end < text.length && text[end] != '\n') {
                end++;
            }
            return end;
        }

        private int cutReturn(int start, int end) {
            return end > start && text[end - 1] == '\r' ? end - 1 : end;
        }

        private void skipEmpty() {
            while (at < text.length) {
                int end = endOfLine(at);
                if (cutReturn(at, end) > at) {
                    return;
                }
                at = end + 1;
                number++;
            }
        }

        private Line parse(int start, int end) {
            if (end - start > MAX_LINE_BYTES) {
                throw new IllegalArgumentException("it is longer than " + MAX_LINE_BYTES + " bytes");
            }
            String line;
            try {
                line = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(text, start, end - start))
                        .toString();
            } catch (CharacterCodingException e) {
                throw new IllegalArgumentException("it is not UTF-8", e);
            }
            int tab = line.indexOf('\t');
            SourceSpec source = SourceSpec.parse(tab < 0 ? line : line.substring(0, tab));
            if (tab < 0) {
                return new Line(source, "");
            }
            String target = line.substring(tab + 1);
            checkTarget(target);
            return new Line(source, target);
        }

        private static void checkTarget(String target) {
            if (target.isEmpty()) {
                throw new IllegalArgumentException("nothing follows the tab: leave it away, or name a target");
            }
            String shown = Sentences.oneLine(target);
            if (target.indexOf('\t') >= 0) {
                throw new IllegalArgumentException("it has more than one tab");
            }
            if (target.startsWith("/")) {
                throw new IllegalArgumentException(
                        "the target '" + shown + "' is absolute, and targets lie below the folder DEST");
            }
            for (String part :
                    (target.endsWith("/") ? target.substring(0, target.length() - 1) : target).split("/", -1)) {
                if (part.isEmpty() || part.equals(".") || part.equals("..") || part.indexOf('\0') >= 0) {
                    throw new IllegalArgumentException("the target '" + shown + "' has the part '"
                            + Sentences.oneLine(part) + "', which is no name of a file");
                }
            }
        }
    }
}
