// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Bearer tokens from a file: a line a token, at least 16 characters without blanks, and after a blank
 * what it allows, {@code manage} (all; also where nothing is said) or {@code observe}. Empty lines and those that begin
 * with # do not count.
 *
 * <p>The file is read again when it has changed. While it cannot be read, or says something else, nobody is let in: a token
 * that was taken back must not go on being good. Thread-safe.
 */
public final class Tokens {
    /** Fewer characters can be guessed. */
    static final int LEAST_LENGTH = 16;

    private static final int MAX_BYTES = 64 << 10;
    /** A file may change twice within one tick of its clock: a change so fresh is looked at again. */
    private static final Duration TICK = Duration.ofSeconds(1);

    private static final Pattern BLANKS = Pattern.compile("\\s+");
    private static final Logger LOG = LoggerFactory.getLogger(Tokens.class);

    private final Path file;
    private State state;

    /** A token's digest, so that comparing takes the same time whatever is compared. */
    private record Token(String digest, Scope scope) {}

    private record Stamp(long size, FileTime modified, Optional<Object> key) {
        boolean isFresh(Instant now) {
            return modified.toInstant().isAfter(now.minus(TICK));
        }
    }

    private record State(Optional<Stamp> stamp, boolean settled, List<Token> tokens) {}

    private Tokens(Path file, State state) {
        this.file = file;
        this.state = state;
    }

    /**
     * Reads a file.
     *
     * @throws IOException with a sentence, where it is missing, unreadable, has no token or one that is none
     */
    public static Tokens open(Path file) throws IOException {
        return new Tokens(file, read(file));
    }

    /** What a token allows; empty where it is none of these. */
    Optional<Scope> scopeOf(String token) {
        byte[] digest = digest(token).getBytes(StandardCharsets.UTF_8);
        Optional<Scope> found = Optional.empty();
        // All are compared, whichever it is.
        for (Token known : current()) {
            if (MessageDigest.isEqual(known.digest.getBytes(StandardCharsets.UTF_8), digest)) {
                found = Optional.of(known.scope);
            }
        }
        return found;
    }

    private synchronized List<Token> current() {
        Optional<Stamp> stamp = stamp(file);
        if (stamp.equals(state.stamp) && state.settled) {
            return state.tokens;
        }
        boolean isNews = !stamp.equals(state.stamp);
        try {
            state = read(file);
        } catch (IOException e) {
            state = new State(stamp, stamp.isEmpty() || !stamp.get().isFresh(Instant.now()), List.of());
            if (isNews) {
                LOG.error("{}. Nobody is let in until that is mended", e.getMessage());
            }
        }
        return state.tokens;
    }

    private static Optional<Stamp> stamp(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return Optional.of(new Stamp(
                    attributes.size(), attributes.lastModifiedTime(), Optional.ofNullable(attributes.fileKey())));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static State read(Path file) throws IOException {
        Optional<Stamp> stamp = stamp(file);
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
        } catch (NoSuchFileException e) {
            throw new IOException("The token file " + file + " does not exist: make it, with a token on a line", e);
        } catch (IOException e) {
            throw new IOException("The token file " + file + " cannot be read: " + e.getMessage(), e);
        }
        if (bytes.length > MAX_BYTES) {
            throw new IOException("The token file " + file + " has more than " + MAX_BYTES + " bytes");
        }
        List<Token> tokens = parse(file, new String(bytes, StandardCharsets.UTF_8));
        boolean settled = stamp.isPresent() && !stamp.get().isFresh(Instant.now());
        return new State(stamp, settled, tokens);
    }

    private static List<Token> parse(Path file, String text) throws IOException {
        List<Token> tokens = new ArrayList<>();
        int number = 0;
        for (String raw : text.lines().toList()) {
            number++;
            String line = raw.strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            String where = "Line " + number + " of the token file " + file;
            List<String> words = BLANKS.splitAsStream(line).toList();
            if (words.size() > 2) {
                throw new IOException(where + " has more than a token and what it allows");
            }
            if (words.get(0).length() < LEAST_LENGTH || !words.get(0).chars().allMatch(c -> c > ' ' && c < 0x7f)) {
                throw new IOException(where + " is no token: those have at least " + LEAST_LENGTH
                        + " characters of ASCII, as from: head -c 32 /dev/urandom | base64");
            }
            Optional<Scope> scope = words.size() < 2 ? Optional.of(Scope.MANAGE) : Scope.parse(words.get(1));
            if (scope.isEmpty()) {
                throw new IOException(
                        where + " says '" + words.get(1) + "' behind the token: manage or observe can be");
            }
            tokens.add(new Token(digest(words.get(0)), scope.get()));
        }
        if (tokens.isEmpty()) {
            throw new IOException("The token file " + file + " has no token: write one on a line");
        }
        return tokens;
    }

    private static String digest(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
