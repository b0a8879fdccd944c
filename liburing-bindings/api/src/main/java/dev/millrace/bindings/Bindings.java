// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bindings;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Chooses the way across: of the providers on the class path the one of highest priority that loads, or the one asked
 * for by name (argument, then property {@value #BINDING_PROPERTY}, then environment {@value #BINDING_VARIABLE}). The
 * reason of each refusal is kept.
 *
 * @param nativeIo the binding that was loaded, if one was
 * @param constants its constants; present exactly when the binding is
 * @param refusals why others were not taken, in the order they were tried
 */
public record Bindings(Optional<NativeIo> nativeIo, Optional<NativeConstants> constants, List<Refusal> refusals) {
    /** Asks for a binding by name. */
    public static final String BINDING_PROPERTY = "millrace.binding";
    /** The same in the environment. */
    public static final String BINDING_VARIABLE = "MILLRACE_BINDING";
    /** {@code off} loads no native code at all. */
    public static final String NATIVE_PROPERTY = "millrace.native";
    /** The same in the environment. */
    public static final String NATIVE_VARIABLE = "MILLRACE_NATIVE";

    /**
     * A binding that was not taken.
     *
     * @param binding its name
     * @param reason a sentence
     */
    public record Refusal(String binding, String reason) {}

    /** Copies the list. */
    public Bindings {
        refusals = List.copyOf(refusals);
    }

    /** All refusals as one line; bindings refused for the same reason are named together. */
    public String reasons() {
        Map<String, List<String>> byReason = new LinkedHashMap<>();
        for (Refusal refusal : refusals) {
            byReason.computeIfAbsent(refusal.reason(), reason -> new ArrayList<>())
                    .add(refusal.binding());
        }
        List<String> sentences = new ArrayList<>();
        byReason.forEach((reason, names) -> sentences.add(String.join(", ", names) + ": " + reason));
        return String.join("; ", sentences);
    }

    /**
     * Loads a binding, or gives the one that was loaded before, since a library is loaded once. Whoever gets one holds
     * it until {@link #release}; to keep it for the life of these classes is allowed.
     *
     * @param wanted name of the binding, or empty for the best
     */
    public static synchronized Bindings load(Optional<String> wanted) {
        List<Refusal> refusals = new ArrayList<>();
        if (Settings.isOff(NATIVE_PROPERTY, NATIVE_VARIABLE)) {
            refusals.add(new Refusal("native", "switched off by " + NATIVE_PROPERTY + " or " + NATIVE_VARIABLE));
            return new Bindings(Optional.empty(), Optional.empty(), refusals);
        }
        Optional<String> name = wanted.or(() -> Settings.read(BINDING_PROPERTY, BINDING_VARIABLE))
                .filter(text -> !text.equals("auto"));
        boolean found = false;
        for (NativeIoProvider provider : providers(refusals)) {
            if (name.isPresent() && !name.get().equals(provider.name())) {
                continue;
            }
            found = true;
            try {
                Loaded loaded = LOADED.get(provider.name());
                if (loaded == null) {
                    loaded = shakeHands(provider, provider.load(NativeLibrary.locate(provider.library())));
                    LOADED.put(provider.name(), loaded);
                }
                loaded.holders++;
                return new Bindings(Optional.of(loaded.nativeIo), Optional.of(loaded.constants), refusals);
            } catch (BindingUnavailableException e) {
                refusals.add(new Refusal(provider.name(), e.getMessage()));
            }
        }
        if (name.isPresent()) {
            // Why others are not there is of no interest to who asked for this one.
            refusals.removeIf(refusal -> !refusal.binding().equals(name.get()));
        }
        if (!found && refusals.isEmpty()) {
            refusals.add(new Refusal(
                    name.orElse("native"),
                    name.isPresent()
                            ? "no provider of this name is on the class path: there are ffm, jni and jna,"
                                    + " each in dev.millrace:millrace-bindings-NAME"
                            : "no binding is on the class path: add dev.millrace:millrace-bindings-ffm (JDK 22+), -jni or"
                                    + " -jna"));
        }
        return new Bindings(Optional.empty(), Optional.empty(), refusals);
    }

    /** Reads the constants of a library that was just loaded; one that speaks another version is let go again. */
    private static Loaded shakeHands(NativeIoProvider provider, NativeIo nativeIo) throws BindingUnavailableException {
        try {
            return new Loaded(provider, nativeIo, new NativeConstants(nativeIo));
        } catch (BindingUnavailableException e) {
            provider.unload(nativeIo);
            throw e;
        }
    }

    /** Holds a loaded binding once more, for what outlives its engine. */
    public static synchronized void retain(NativeIo nativeIo) {
        loaded(nativeIo).holders++;
    }

    /**
     * Ends one holding. After the last one nothing of this binding may be called: what would keep these classes alive
     * beyond their loader's use is let go; the next {@link #load} loads it anew.
     */
    public static synchronized void release(NativeIo nativeIo) {
        Loaded loaded = loaded(nativeIo);
        if (--loaded.holders == 0 && loaded.provider.unload(nativeIo)) {
            LOADED.remove(nativeIo.binding());
        }
    }

    @SuppressWarnings("ReferenceEquality") // an older one of the same name is another one
    private static Loaded loaded(NativeIo nativeIo) {
        Loaded loaded = LOADED.get(nativeIo.binding());
        if (loaded == null || loaded.nativeIo != nativeIo || loaded.holders == 0) {
            throw new IllegalStateException("the binding " + nativeIo.binding() + " is not held");
        }
        return loaded;
    }

    private static final class Loaded {
        private final NativeIoProvider provider;
        private final NativeIo nativeIo;
        private final NativeConstants constants;
        private int holders;

        Loaded(NativeIoProvider provider, NativeIo nativeIo, NativeConstants constants) {
            this.provider = provider;
            this.nativeIo = nativeIo;
            this.constants = constants;
        }
    }

    private static final Map<String, Loaded> LOADED = new HashMap<>();

    /** Takes the class's name and version out of the JVM's sentence, the one place where they can be had. */
    private static Refusal builtForANewerJdk(UnsupportedClassVersionError e) {
        Matcher matcher = NEWER.matcher(String.valueOf(e.getMessage()));
        if (!matcher.find()) {
            return new Refusal("provider", String.valueOf(e.getMessage()));
        }
        // A class file's version is the JDK's and 44.
        int built = Integer.parseInt(matcher.group(2)) - 44;
        return new Refusal(
                matcher.group(1),
                "it needs JDK " + built + " or later and this is "
                        + Runtime.version().feature());
    }

    private static final Pattern NEWER =
            Pattern.compile("([^/]+)/[^/ ]+ has been compiled .*?class file version (\\d+)");

    private static List<NativeIoProvider> providers(List<Refusal> refusals) {
        List<NativeIoProvider> providers = new ArrayList<>();
        Iterator<NativeIoProvider> iterator = ServiceLoader.load(
                        NativeIoProvider.class, NativeIoProvider.class.getClassLoader())
                .iterator();
        boolean more = true;
        while (more) {
            try {
                more = iterator.hasNext();
                if (more) {
                    providers.add(iterator.next());
                }
            } catch (UnsupportedClassVersionError e) {
                // A provider built for a newer JDK is on the class path of an older one: skipped, not fatal.
                refusals.add(builtForANewerJdk(e));
            } catch (ServiceConfigurationError e) {
                refusals.add(new Refusal("provider", e.getMessage()));
            }
        }
        providers.sort(Comparator.comparingInt(NativeIoProvider::priority).reversed());
        return providers;
    }
}
