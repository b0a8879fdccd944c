// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Lengths of time as people write them: {@code 30s}, {@code 5m}, {@code 1m 30s}, {@code 30s 12ms}. */
public final class HumanTime {
    private static final Pattern PART = Pattern.compile("\\s*([0-9]{1,9})(ms|s|m|h)");

    private HumanTime() {}

    /**
     * The sum of the parts, each a whole number and {@code ms}, {@code s}, {@code m} or {@code h}.
     *
     * @throws IllegalArgumentException with a sentence, where the text is anything else
     */
    public static Duration parse(String text) {
        return read(text)
                .orElseThrow(() ->
                        new IllegalArgumentException("'" + text + "' is no length of time: write 30s, 5m or 1m 30s"));
    }

    /** As {@link #parse}; empty where the text is anything else, for callers with a sentence of their own. */
    public static Optional<Duration> read(String text) {
        Matcher part = PART.matcher(text);
        Duration sum = Duration.ZERO;
        int at = 0;
        while (at < text.length()) {
            part.region(at, text.length());
            if (!part.lookingAt()) {
                break;
            }
            sum = sum.plus(of(Long.parseLong(part.group(1)), part.group(2)));
            at = part.end();
        }
        return at == 0 || at < text.length() ? Optional.empty() : Optional.of(sum);
    }

    private static Duration of(long number, String unit) {
        return switch (unit) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            default -> Duration.ofHours(number);
        };
    }

    /** In milliseconds, rounded down, without parts that are 0. */
    public static String text(Duration time) {
        StringBuilder text = new StringBuilder();
        add(text, time.toHours(), "h");
        add(text, time.toMinutesPart(), "m");
        add(text, time.toSecondsPart(), "s");
        add(text, time.toMillisPart(), "ms");
        return text.isEmpty() ? "0s" : text.toString();
    }

    private static void add(StringBuilder text, long number, String unit) {
        if (number > 0) {
            text.append(text.isEmpty() ? "" : " ").append(number).append(unit);
        }
    }
}
