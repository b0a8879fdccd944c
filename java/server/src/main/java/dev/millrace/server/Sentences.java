// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Failures as one line for a person. */
final class Sentences {
    private Sentences() {}

    /** Where the SDK begins to tell of every place that had no credentials. */
    private static final String CHAIN = ": Unable to load credentials from any of the providers in the chain";

    /**
     * The cause's own sentence, without its stop; names of the JDK's exceptions, which say only a path, are put into words.
     */
    static String of(Throwable problem) {
        Throwable cause = problem;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof FileSystemException e) {
            return e.getFile() + ": " + reason(e);
        }
        String message = cause.getMessage();
        return oneLine(message == null || message.isBlank() ? cause.getClass().getSimpleName() : shortened(message));
    }

    private static String shortened(String message) {
        int chain = message.indexOf(CHAIN);
        String text = (chain < 0 ? message : message.substring(0, chain)).strip();
        return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    }

    private static String reason(FileSystemException e) {
        if (e instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (e instanceof NotDirectoryException) {
            return "not a folder";
        }
        return e.getReason() == null
                ? e.getClass().getSimpleName()
                : e.getReason().toLowerCase(Locale.ROOT);
    }

    /** As {@code get, serve or bench}. */
    static String choice(Collection<String> names) {
        List<String> all = List.copyOf(names);
        int last = all.size() - 1;
        return last < 1 ? String.join("", all) : String.join(", ", all.subList(0, last)) + " or " + all.get(last);
    }

    /** Names the subject, unless the sentence does. */
    static String about(String name, Throwable cause) {
        String sentence = of(cause);
        return oneLine(sentence.contains(name) ? sentence : name + ": " + sentence);
    }

    /** Without control characters, which a key may have and a terminal would obey. */
    static String oneLine(String text) {
        StringBuilder line = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> {
                    if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
                        line.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        line.append(c);
                    }
                }
            }
        }
        return line.toString();
    }
}
