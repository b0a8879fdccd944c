// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.layers.LayerKey;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a value is made of, against a search through everything, for random sets of layers that overlap in all ways. */
class ReconstructTest extends LayerFileTest {
    private static final int KEYS = 6;
    private static final int LSNS = 30;
    private static final int LAYERS = 36;
    private static final int QUERIES = 4000;
    private static final GeneratedData DATA = new GeneratedData(17, 8, 24, false);

    private final Random random = new Random(31);
    private final List<Model> models = new ArrayList<>();

    private record Model(LayerName name, NavigableMap<Layers.At, Layers.Value> content, LayerReader reader) {}

    private static ByteBuffer value(Layers.At at) {
        return DATA.value(at.key(), at.lsn());
    }

    /** What is said of a version is the same in every layer that has it. */
    private static boolean willInit(Layers.At at) {
        return (at.key().low() + at.lsn().value()) % 7 == 0;
    }

    @BeforeEach
    void writeLayers() throws IOException {
        List<Integer> imageLsns = new ArrayList<>();
        for (int lsn = 1; lsn <= LSNS; lsn++) {
            imageLsns.add(lsn);
        }
        Collections.shuffle(imageLsns, random);
        ArrayDeque<Integer> freeLsns = new ArrayDeque<>(imageLsns);
        Set<LayerName> names = new HashSet<>();
        while (models.size() < LAYERS) {
            int from = random.nextInt(KEYS);
            int to = from + 1 + random.nextInt(KEYS - from);
            boolean image = models.size() % 4 == 0;
            int lsn = image ? freeLsns.remove() : random.nextInt(LSNS);
            int end = lsn + 1 + random.nextInt(image ? 1 : LSNS - lsn);
            LayerName name = image ? Layers.image(from, to, lsn) : Layers.delta(from, to, lsn, end);
            if (!names.add(name)) {
                continue;
            }
            NavigableMap<Layers.At, Layers.Value> content = Layers.content();
            for (int key = from; key < to; key++) {
                for (int at = lsn; at < end; at++) {
                    if (random.nextInt(4) == 0) {
                        Layers.At version = Layers.At.of(key, at);
                        content.put(version, new Layers.Value(value(version), image || willInit(version)));
                    }
                }
            }
            LayerWriter.Written written = Layers.write(engine, folder, name, Compression.NONE, content);
            models.add(new Model(name, content, Layers.open(readers, written)));
        }
    }

    @AfterEach
    void closeLayers() throws IOException {
        for (Model model : models) {
            model.reader().close();
        }
    }

    private static boolean covers(LayerName name, LayerKey key, Lsn lsn) {
        return name instanceof LayerName.Image image
                && image.keys().contains(key)
                && image.lsn().compareTo(lsn) <= 0;
    }

    private static Lsn imageLsn(Model model) {
        return ((LayerName.Image) model.name()).lsn();
    }

    private static Optional<Model> newestImage(List<Model> layers, LayerKey key, Lsn lsn) {
        return layers.stream()
                .filter(model -> covers(model.name(), key, lsn))
                .max(Comparator.comparing(ReconstructTest::imageLsn));
    }

    /** Looks at every record of every layer. */
    private static Reconstructed bruteForce(List<Model> layers, LayerKey key, Lsn lsn) {
        Optional<Model> image = newestImage(layers, key, lsn);
        TreeMap<Lsn, LayerRecord> records = new TreeMap<>(Comparator.reverseOrder());
        for (Model model : layers) {
            if (model.name() instanceof LayerName.Delta) {
                for (Map.Entry<Layers.At, Layers.Value> entry : model.content().entrySet()) {
                    Lsn at = entry.getKey().lsn();
                    boolean above = image.isEmpty() || imageLsn(image.get()).compareTo(at) < 0;
                    if (entry.getKey().key().equals(key) && at.compareTo(lsn) <= 0 && above) {
                        records.put(at, record(key, at, entry.getValue()));
                    }
                }
            }
        }
        List<LayerRecord> newestFirst = new ArrayList<>();
        for (LayerRecord record : records.values()) {
            newestFirst.add(record);
            if (record.willInit()) {
                return new Reconstructed(Optional.empty(), newestFirst);
            }
        }
        return new Reconstructed(
                image.flatMap(model -> Optional.ofNullable(model.content().get(new Layers.At(key, imageLsn(model))))
                        .map(value -> record(key, imageLsn(model), value))),
                newestFirst);
    }

    private static LayerRecord record(LayerKey key, Lsn lsn, Layers.Value value) {
        return new LayerRecord(key, lsn, value.willInit(), value.bytes());
    }

    private static LayerSource source(Model model, Set<LayerName> opened) {
        return new LayerSource() {
            @Override
            public LayerName name() {
                return model.name();
            }

            @Override
            public LayerReader open() {
                assertThat(opened.add(model.name())).as("opened once").isTrue();
                return model.reader();
            }
        };
    }

    @Test
    void findsWhatASearchThroughEverythingFindsAndOpensNoLayerInVain() throws Exception {
        int absent = 0;
        int onImage = 0;
        int incomplete = 0;
        for (int i = 0; i < QUERIES; i++) {
            List<Model> layers = new ArrayList<>(models);
            Collections.shuffle(layers, random);
            layers = layers.subList(0, random.nextInt(12));
            LayerKey key = Layers.key(random.nextInt(KEYS));
            Lsn lsn = new Lsn(random.nextInt(LSNS + 2));
            Set<LayerName> opened = new HashSet<>();
            Reconstructed expected = bruteForce(layers, key, lsn);
            Reconstructed found = Reconstruct.get(
                    key,
                    lsn,
                    layers.stream().map(model -> source(model, opened)).toList());
            assertThat(found).as("key " + key + " at " + lsn + " of " + layers).isEqualTo(expected);
            onlyNeeded(layers, key, lsn, found, opened);
            absent += found.isAbsent() ? 1 : 0;
            onImage += found.image().isPresent() ? 1 : 0;
            incomplete += found.isComplete() || found.isAbsent() ? 0 : 1;
        }
        assertThat(List.of(absent, onImage, incomplete)).as("each case was met").allMatch(count -> count > 50);
    }

    private static void onlyNeeded(
            List<Model> layers, LayerKey key, Lsn lsn, Reconstructed found, Set<LayerName> opened) {
        List<LayerRecord> records = found.records();
        boolean init = !records.isEmpty() && records.get(records.size() - 1).willInit();
        Optional<Lsn> image = newestImage(layers, key, lsn).map(ReconstructTest::imageLsn);
        Optional<Lsn> base = init ? Optional.of(records.get(records.size() - 1).lsn()) : image;
        for (LayerName name : opened) {
            if (name instanceof LayerName.Image opens) {
                assertThat(init)
                        .as("the image is opened though a record initialises")
                        .isFalse();
                assertThat(opens.lsn()).isEqualTo(image.orElseThrow());
            } else if (name instanceof LayerName.Delta delta) {
                assertThat(delta.keys().contains(key)).isTrue();
                assertThat(delta.lsns().start()).isLessThanOrEqualTo(lsn);
                base.ifPresent(at -> assertThat(delta.lsns().end()).isGreaterThan(at));
            }
        }
    }

    @Test
    void severalValuesAtOnceAreWhatEachIsAlone() throws Exception {
        List<LayerSource> layers =
                models.stream().map(model -> LayerSource.of(model.reader())).toList();
        List<Reconstruct.Request> requests = new ArrayList<>();
        for (int key = 0; key < KEYS; key++) {
            for (int lsn = 0; lsn <= LSNS; lsn++) {
                requests.add(new Reconstruct.Request(Layers.key(key), new Lsn(lsn), layers));
            }
        }
        List<Reconstruct.Result> results = Reconstruct.get(requests);
        for (int i = 0; i < results.size(); i++) {
            Reconstruct.Request request = requests.get(i);
            assertThat(results.get(i).get()).isEqualTo(bruteForce(models, request.key(), request.lsn()));
        }
    }

    @Test
    void aLayerThatCannotBeOpenedFailsThoseOnlyWhoNeedIt() throws Exception {
        LayerKey key = Layers.key(2);
        LayerSource broken = new LayerSource() {
            @Override
            public LayerName name() {
                return Layers.delta(2, 3, 20, 40);
            }

            @Override
            public LayerReader open() throws IOException {
                throw new IOException("download required");
            }
        };
        List<LayerSource> layers = new ArrayList<>(List.of(broken));
        models.forEach(model -> layers.add(LayerSource.of(model.reader())));
        List<Reconstruct.Result> results = Reconstruct.get(List.of(
                new Reconstruct.Request(key, new Lsn(39), layers),
                new Reconstruct.Request(key, new Lsn(19), layers),
                new Reconstruct.Request(Layers.key(3), new Lsn(39), layers)));
        assertThatThrownBy(() -> results.get(0).get()).hasMessage("download required");
        assertThat(results.get(1).get()).isEqualTo(bruteForce(models, key, new Lsn(19)));
        assertThat(results.get(2).get()).isEqualTo(bruteForce(models, Layers.key(3), new Lsn(39)));
    }

    @Test
    void seesTheNewestVersionsThereAre() {
        Reconstructed last;
        try {
            last = Reconstruct.get(
                    Layers.key(1),
                    Lsn.MAX,
                    models.stream().map(model -> LayerSource.of(model.reader())).toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        assertThat(last).isEqualTo(bruteForce(models, Layers.key(1), Lsn.MAX));
    }
}
