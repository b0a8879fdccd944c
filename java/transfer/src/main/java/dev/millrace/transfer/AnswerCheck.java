// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transfer;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * Whether an answer is one to the question, judged before one byte of its body is taken.
 *
 * @param problem what is wrong with it, as a sentence's end; empty where it is right
 * @param changed the problem is that the object is another one now
 * @param skip bytes of the body to pass over: a 200 to a ranged request begins at byte 0
 * @param take bytes of the body that are wanted after those; empty for all
 * @param whole bytes that the caller wants in all (of its range, where it has one), where the answer tells
 */
record AnswerCheck(Optional<String> problem, boolean changed, long skip, OptionalLong take, OptionalLong whole) {

    private static AnswerCheck wrong(String problem) {
        return new AnswerCheck(Optional.of(problem), false, 0, OptionalLong.empty(), OptionalLong.empty());
    }

    private static AnswerCheck changed(String problem) {
        return new AnswerCheck(Optional.of(problem), true, 0, OptionalLong.empty(), OptionalLong.empty());
    }

    /**
     * Judges.
     *
     * @param wanted the caller's own range
     * @param kept bytes of it that are here already, and were not asked for
     * @param etag the ETag that the object had or must have
     * @param length bytes the caller wants in all, where known
     */
    static AnswerCheck of(
            ObjectHead head, Optional<ByteRange> wanted, long kept, Optional<String> etag, OptionalLong length) {
        if (etag.isPresent() && !head.etag().equals(etag)) {
            return changed("its ETag is " + head.etag().orElse("missing") + " and was " + etag.get());
        }
        long first = wanted.map(ByteRange::first).orElse(0L) + kept;
        AnswerCheck answer = switch (head.status()) {
            case 200 -> full(head, wanted, first, kept);
            case 206 -> partial(head, wanted, first, kept);
            default -> wrong("the status is " + head.status() + " and not 200 or 206");
        };
        if (answer.problem().isEmpty()
                && length.isPresent()
                && answer.whole().isPresent()
                && answer.whole().getAsLong() != length.getAsLong()) {
            return wrong("it has " + answer.whole().getAsLong() + " bytes and " + length.getAsLong() + " are expected");
        }
        return answer;
    }

    private static AnswerCheck full(ObjectHead head, Optional<ByteRange> wanted, long first, long kept) {
        OptionalLong total = head.contentLength();
        if (total.isEmpty()) {
            OptionalLong length = wanted.map(ByteRange::length).orElse(OptionalLong.empty());
            OptionalLong take = length.isPresent() ? OptionalLong.of(length.getAsLong() - kept) : length;
            return new AnswerCheck(Optional.empty(), false, first, take, OptionalLong.empty());
        }
        if (total.getAsLong() < first
                || (wanted.isPresent() && total.getAsLong() <= wanted.get().first())) {
            return wrong("byte " + first + " was asked for and the object has " + total.getAsLong() + " bytes");
        }
        long end = wanted.isPresent() && wanted.get().last().isPresent()
                ? Math.min(total.getAsLong(), wanted.get().last().getAsLong() + 1)
                : total.getAsLong();
        return new AnswerCheck(
                Optional.empty(), false, first, OptionalLong.of(end - first), OptionalLong.of(end - first + kept));
    }

    private static AnswerCheck partial(ObjectHead head, Optional<ByteRange> wanted, long first, long kept) {
        String text = head.contentRange().orElse("missing");
        Optional<ContentRange> parsed = ContentRange.parse(text);
        if (parsed.isEmpty()) {
            return wrong("its Content-Range is " + text + " and byte " + first + " was asked for");
        }
        ContentRange range = parsed.get();
        OptionalLong last = wanted.map(ByteRange::last).orElse(OptionalLong.empty());
        boolean toTheEnd =
                range.total().isPresent() && range.last() == range.total().getAsLong() - 1;
        boolean asAsked = last.isPresent() && range.last() == last.getAsLong();
        boolean cutShort = last.isPresent() && range.last() < last.getAsLong() && toTheEnd;
        boolean open = last.isEmpty() && (toTheEnd || range.total().isEmpty());
        if (range.first() != first || !(asAsked || cutShort || open)) {
            return wrong("it holds " + text + " and bytes " + first + "-" + (last.isPresent() ? last.getAsLong() : "")
                    + " were asked for");
        }
        long count = range.last() - range.first() + 1;
        if (head.contentLength().isPresent() && head.contentLength().getAsLong() != count) {
            return wrong(
                    "its Content-Length is " + head.contentLength().getAsLong() + " and its Content-Range " + text);
        }
        return new AnswerCheck(Optional.empty(), false, 0, OptionalLong.of(count), OptionalLong.of(count + kept));
    }
}
