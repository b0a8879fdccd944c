// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/** The faults of one exchange sorted by where they act. Belongs to the connection's thread. */
final class FaultPlan {
    /** How an exchange ends before its time. */
    enum End {
        RESET,
        CLOSE
    }

    /** What happens before the byte at an offset: a pause, for a time or until it is let go on, then perhaps the end. */
    record Event(Duration pause, boolean hold, Optional<End> end) {}

    private final List<Fault> faults;

    Optional<End> endBeforeHead = Optional.empty();
    Duration pauseBeforeHead = Duration.ZERO;
    Optional<Fault.Respond> respond = Optional.empty();
    Optional<Integer> status = Optional.empty();
    OptionalLong chunkBytes = OptionalLong.empty();
    boolean unframed;
    Optional<String> errorBody = Optional.empty();
    final List<Long> corrupt = new ArrayList<>();
    OptionalLong truncate = OptionalLong.empty();
    long extraBytes;
    Optional<Fault.Trickle> trickle = Optional.empty();
    Optional<End> endAfterBody = Optional.empty();
    private final TreeMap<Long, List<Event>> events = new TreeMap<>();

    FaultPlan(List<Fault> faults) {
        this.faults = faults;
        for (Fault fault : faults) {
            if (fault instanceof Fault.ResetBeforeHead) {
                endBeforeHead = Optional.of(End.RESET);
            } else if (fault instanceof Fault.CloseBeforeHead) {
                endBeforeHead = Optional.of(End.CLOSE);
            } else if (fault instanceof Fault.StallBeforeHead stall) {
                pauseBeforeHead = pauseBeforeHead.plus(stall.pause());
            } else if (fault instanceof Fault.Respond canned) {
                respond = Optional.of(canned);
            } else if (fault instanceof Fault.ReplaceStatus other) {
                status = Optional.of(other.status());
            } else if (fault instanceof Fault.ChunkedBody chunked) {
                chunkBytes = OptionalLong.of(chunked.chunkBytes());
            } else if (fault instanceof Fault.UnframedBody) {
                unframed = true;
            } else if (fault instanceof Fault.ErrorBody error) {
                errorBody = Optional.of(error.code());
            } else if (fault instanceof Fault.CorruptByte byteAt) {
                corrupt.add(byteAt.at());
            } else if (fault instanceof Fault.Truncate shorter) {
                truncate = OptionalLong.of(shorter.length());
            } else if (fault instanceof Fault.ExtraBytes extra) {
                extraBytes += extra.count();
            } else if (fault instanceof Fault.StallAfter stall) {
                at(stall.bytes(), new Event(stall.pause(), false, Optional.empty()));
            } else if (fault instanceof Fault.HoldAfter hold) {
                at(hold.bytes(), new Event(Duration.ZERO, true, Optional.empty()));
            } else if (fault instanceof Fault.Trickle slow) {
                trickle = Optional.of(slow);
            } else if (fault instanceof Fault.ResetAfter reset) {
                at(reset.bytes(), new Event(Duration.ZERO, false, Optional.of(End.RESET)));
            } else if (fault instanceof Fault.CloseAfter close) {
                at(close.bytes(), new Event(Duration.ZERO, false, Optional.of(End.CLOSE)));
            } else if (fault instanceof Fault.ResetAfterBody) {
                endAfterBody = Optional.of(End.RESET);
            } else if (fault instanceof Fault.CloseIdle) {
                endAfterBody = Optional.of(End.CLOSE);
            }
        }
    }

    private void at(long offset, Event event) {
        events.computeIfAbsent(offset, o -> new ArrayList<>()).add(event);
    }

    /** The request that is answered in place of the one that was made. */
    Request edit(Request request) {
        Request edited = request;
        for (Fault fault : faults) {
            Headers headers = edited.headers();
            if (fault instanceof Fault.IgnoreRange) {
                edited = edited.withHeaders(headers.without("Range"));
            } else if (fault instanceof Fault.DropIfMatch) {
                edited = edited.withHeaders(headers.without("If-Match"));
            } else if (fault instanceof Fault.OtherRange other) {
                edited = edited.withHeaders(
                        headers.with("Range", new ByteRange(OptionalLong.of(other.first()), other.last()).toString()));
            } else if (fault instanceof Fault.ShiftRange shift) {
                Optional<ByteRange> range = headers.first("Range").flatMap(ByteRange::parse);
                if (range.isPresent()) {
                    edited = edited.withHeaders(
                            headers.with("Range", range.get().shift(shift.by()).toString()));
                }
            } else if (fault instanceof Fault.IgnorePartNumber) {
                edited = edited.withQuery(withoutParameter(edited.query(), "partNumber"));
            } else if (fault instanceof Fault.OtherObject other) {
                edited = edited.withPath(other.path());
            }
        }
        return edited;
    }

    private static String withoutParameter(String query, String name) {
        List<String> kept = new ArrayList<>();
        for (String pair : query.split("&", -1)) {
            if (!pair.equals(name) && !pair.startsWith(name + "=")) {
                kept.add(pair);
            }
        }
        return String.join("&", kept);
    }

    /** The head's headers as the faults want them; the last word. */
    Headers edit(Headers headers) {
        Headers edited = headers;
        for (Fault fault : faults) {
            if (fault instanceof Fault.ReplaceHeaders replace) {
                for (String name : replace.remove()) {
                    edited = edited.without(name);
                }
                edited = edited.with(replace.set());
            }
        }
        return edited;
    }

    /** Whether the length that is announced is the test's and not the body's. */
    boolean liesAboutLength() {
        return faults.stream()
                .anyMatch(f -> f instanceof Fault.ReplaceHeaders replace
                        && (replace.set().has("Content-Length")
                                || replace.set().has("Transfer-Encoding")
                                || replace.remove().stream()
                                        .anyMatch(n -> n.equalsIgnoreCase("Content-Length")
                                                || n.equalsIgnoreCase("Transfer-Encoding"))));
    }

    /** The events at an offset, which then are over. */
    List<Event> takeEvents(long offset) {
        List<Event> due = events.remove(offset);
        return due == null ? List.of() : due;
    }

    /** The offset of the next event, or the largest number. */
    long nextEvent() {
        Map.Entry<Long, List<Event>> next = events.firstEntry();
        return next == null ? Long.MAX_VALUE : next.getKey();
    }
}
