// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import dev.millrace.layers.AccessKind;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import dev.millrace.layers.LsnRange;
import dev.millrace.layers.TaskKind;
import dev.millrace.layers.stats.AccessStatistics;
import dev.millrace.layers.stats.HistoryBuffer;
import dev.millrace.layers.stats.LayerAccess;
import dev.millrace.layers.stats.LayerAccessStats;
import dev.millrace.layers.stats.ResidenceReason;
import dev.millrace.layers.stats.ResidenceStatus;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LayerMapJsonTest {
    private static final JsonFactory JSON = new JsonFactory();
    private static final String KEYS = "000000067F00004004000060090000000000-000000067F00004004000060090000000001";
    private static final String DELTA = KEYS + "__0000000000000001-0000000000000002";
    private static final String IMAGE = KEYS + "__00000001000000FF";

    /** As the original system answered before it grew the later fields. */
    private static final String OLDER = "{\"access_count_by_access_kind\":{\"GetValueReconstructData\":3,\"Iter\":0,"
            + "\"KeyIter\":1,\"Dump\":0},\"task_kind_access_flag\":[\"PageRequestHandler\",\"SomethingNew\"],"
            + "\"first\":{\"when_millis_since_epoch\":7,\"task_kind\":\"SomethingNew\",\"access_kind\":\"KeyIter\"},"
            + "\"accesses_history\":{\"buffer\":[],\"buffer_size\":16,\"drop_count\":4},"
            + "\"residence_events_history\":{\"buffer\":[{\"timestamp_millis_since_epoch\":1,\"status\":\"Resident\","
            + "\"reason\":\"LayerLoad\"}],\"buffer_size\":16,\"drop_count\":0}}";

    private interface Writing {
        void to(JsonGenerator out) throws IOException;
    }

    private static String written(Writing writing) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = JSON.createGenerator(text)) {
            writing.to(out);
        }
        return text.toString();
    }

    private static LayerMapInfo map(String text) throws IOException {
        try (JsonParser in = JSON.createParser(text)) {
            return LayerMapJson.read(in);
        }
    }

    private static LayerAccessStats stats(String text) throws IOException {
        try (JsonParser in = JSON.createParser(text)) {
            return AccessStatsJson.read(in);
        }
    }

    private static HistoryBuffer<Long> history(String text) throws IOException {
        try (JsonParser in = JSON.createParser(text)) {
            return HistoryBufferJson.read(in, 3, JsonParser::getLongValue);
        }
    }

    private static LayerAccessStats busy() {
        AccessStatistics statistics = new AccessStatistics();
        statistics.recordResidence(ResidenceStatus.EVICTED, ResidenceReason.LAYER_LOAD, 5);
        for (int i = 0; i < 20; i++) {
            statistics.recordResidence(ResidenceStatus.RESIDENT, ResidenceReason.RESIDENCE_CHANGE, 100 + i);
            statistics.recordAccess(AccessKind.ITER, TaskKind.COMPACTION, 200 + i);
            statistics.recordAccess(AccessKind.DUMP, TaskKind.MGMT_REQUEST, 300 + i);
        }
        return statistics.snapshot();
    }

    private static LayerMapInfo example() {
        LayerAccessStats never = new AccessStatistics().snapshot();
        return new LayerMapInfo(
                List.of(
                        new InMemoryLayerInfo.Open(new Lsn(0x16B9188)),
                        new InMemoryLayerInfo.Frozen(new LsnRange(new Lsn(1), new Lsn(0x1_0000_0002L)))),
                List.of(
                        new HistoricLayerInfo.Delta(
                                (LayerName.Delta) LayerName.parse(DELTA), 123, false, true, busy().withVisible(false)),
                        new HistoricLayerInfo.Image((LayerName.Image) LayerName.parse(IMAGE), 0, true, never)),
                List.of(new BlobLayerInfo(new LayerName.Blob("segment-17"), Long.MAX_VALUE, true, busy())));
    }

    @Test
    void readsBackWhatItWrote() throws IOException {
        String text = written(out -> LayerMapJson.write(out, example()));
        assertThat(map(text)).isEqualTo(example());
        LayerMapInfo empty = new LayerMapInfo(List.of(), List.of(), List.of());
        assertThat(map(written(out -> LayerMapJson.write(out, empty)))).isEqualTo(empty);
    }

    @Test
    void writesTheFieldsThatClientsKnow() throws IOException {
        LayerAccessStats older = stats(OLDER);
        LayerMapInfo one = new LayerMapInfo(
                List.of(new InMemoryLayerInfo.Open(new Lsn(0x16B9188))),
                List.of(
                        new HistoricLayerInfo.Delta((LayerName.Delta) LayerName.parse(DELTA), 123, false, false, older),
                        new HistoricLayerInfo.Image((LayerName.Image) LayerName.parse(IMAGE), 9, true, older)),
                List.of(new BlobLayerInfo(new LayerName.Blob("x"), 1, true, older)));
        assertThat(written(out -> LayerMapJson.write(out, one)))
                .isEqualTo("{\"in_memory_layers\":[{\"kind\":\"Open\",\"lsn_start\":\"0/16B9188\"}],"
                        + "\"historic_layers\":[{\"kind\":\"Delta\",\"layer_file_name\":\"" + DELTA
                        + "\",\"layer_file_size\":123,\"lsn_start\":\"0/1\",\"lsn_end\":\"0/2\",\"remote\":false,"
                        + "\"l0\":false,\"access_stats\":" + OLDER + "},{\"kind\":\"Image\",\"layer_file_name\":\""
                        + IMAGE
                        + "\",\"layer_file_size\":9,\"lsn_start\":\"1/FF\",\"remote\":true,\"access_stats\":" + OLDER
                        + "}],\"blob_layers\":[{\"layer_file_name\":\"x\",\"layer_file_size\":1,\"remote\":true,"
                        + "\"access_stats\":" + OLDER + "}]}");
    }

    @Test
    void writesNullBeforeTheFirstAccessAndZerosOfAllKinds() throws IOException {
        String text = written(out -> AccessStatsJson.write(out, new AccessStatistics().snapshot()));
        assertThat(text)
                .contains("\"first\":null")
                .contains("{\"GetValueReconstructData\":0,\"Iter\":0,\"KeyIter\":0,\"Dump\":0}")
                .endsWith("\"access_time\":0,\"residence_time\":0,\"visible\":true}");
        assertThat(stats(text)).isEqualTo(new AccessStatistics().snapshot());
    }

    @Test
    void readsTheOlderFormAndTaskKindsItDoesNotKnow() throws IOException {
        LayerAccessStats older = stats(OLDER);
        assertThat(older.accessTime()).isEmpty();
        assertThat(older.residenceTime()).isEmpty();
        assertThat(older.visible()).isEmpty();
        assertThat(older.taskKinds()).containsExactly("PageRequestHandler", "SomethingNew");
        assertThat(older.first()).isEqualTo(Optional.of(new LayerAccess(7, "SomethingNew", AccessKind.KEY_ITER)));
        assertThat(written(out -> AccessStatsJson.write(out, older))).isEqualTo(OLDER);
        assertThat(map("{\"in_memory_layers\":[],\"historic_layers\":[]}").blobLayers())
                .isEmpty();
    }

    @Test
    void passesOverFieldsItDoesNotKnow() throws IOException {
        assertThat(stats(OLDER.replaceFirst("\\{", "{\"newer\":{\"a\":[1,{}]},")))
                .isEqualTo(stats(OLDER));
        assertThat(history("{\"x\":[1],\"drop_count\":2,\"buffer_size\":3,\"buffer\":[5,6]}"))
                .isEqualTo(HistoryBuffer.of(3, List.of(5L, 6L), 2));
    }

    @Test
    void tellsTheLastSixteenOfFortyEventsOldestFirstAndThat24WereDropped() throws IOException {
        HistoryBuffer<Long> buffer = new HistoryBuffer<>(16);
        for (long i = 1; i <= 40; i++) {
            buffer.write(i);
        }
        assertThat(written(out -> HistoryBufferJson.write(out, buffer, JsonGenerator::writeNumber)))
                .isEqualTo("{\"buffer\":[25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40],"
                        + "\"buffer_size\":16,\"drop_count\":24}");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 4, 100})
    void readsBackAHistoryThatHasWrapped(int entries) throws IOException {
        HistoryBuffer<Long> buffer = new HistoryBuffer<>(3);
        for (long i = 0; i < entries; i++) {
            buffer.write(i);
        }
        String text = written(out -> HistoryBufferJson.write(out, buffer, JsonGenerator::writeNumber));
        assertThat(history(text)).isEqualTo(buffer);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "{'buffer':[],'buffer_size':3} | 'drop_count' is missing",
                "{'buffer':[],'drop_count':0} | 'buffer_size' is missing",
                "{'buffer_size':3,'drop_count':0} | 'buffer' is missing",
                "{'buffer':[],'buffer_size':17,'drop_count':0} | 17 is not 3",
                "{'buffer':[1,2,3,4],'buffer_size':3,'drop_count':0} | more entries than the 3",
                "{'buffer':[1,2,3,4],'buffer_size':4,'drop_count':0} | more entries than the 3",
                "{'buffer':[],'buffer_size':3,'drop_count':-1} | -1 is less than 0",
                "{'buffer':[],'buffer_size':'3','drop_count':0} | no whole number",
                "{'buffer':{},'buffer_size':3,'drop_count':0} | an array is wanted",
                "[] | an object is wanted",
                "'' | an object is wanted",
            })
    void refusesWhatIsNoHistoryOfThisSize(String text, String reason) {
        String quoted = text.equals("''") ? "" : text.replace('\'', '"');
        assertThatThrownBy(() -> history(quoted))
                .isInstanceOf(JsonParseException.class)
                .hasMessageContaining(reason);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "'KeyIter':1, | '' | KeyIter",
                "'access_kind':'KeyIter' | 'access_kind':'Seek' | Seek",
                "'status':'Resident' | 'status':'Lost' | Lost",
                "'reason':'LayerLoad' | 'reason':'Whim' | Whim",
                "'buffer_size':16 | 'buffer_size':20 | 20 is not 16",
                "'Dump':0 | 'Dump':0,'Peek':1 | Peek",
                ",'Dump':0 | '' | Dump",
                "'first' | 'access_time':'now','first' | access_time",
                "'task_kind_access_flag' | 'flags' | task_kind_access_flag",
            })
    void refusesStatisticsThatCannotBe(String is, String becomes, String reason) {
        String from = is.replace('\'', '"');
        String to = becomes.equals("''") ? "" : becomes.replace('\'', '"');
        assertThat(OLDER).contains(from);
        assertThatThrownBy(() -> stats(OLDER.replace(from, to)))
                .isInstanceOf(JsonParseException.class)
                .hasMessageContaining(reason);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "'kind':'Delta' | 'kind':'Image' | not of Image",
                "'lsn_start':'0/1','lsn_end':'0/2' | 'lsn_start':'0/1' | 'lsn_end'",
                "'lsn_end':'0/2' | 'lsn_end':'0/3' | 0/3 is not 0/2",
                "'lsn_start':'1/FF' | 'lsn_start':'1/F' | 1/F is not 1/FF",
                "'lsn_start':'0/16B9188' | 'lsn_start':'16B9188' | is not an LSN",
                "'layer_file_size':123 | 'layer_file_size':1.5 | layer_file_size",
                "'layer_file_name':'segment-17' | 'layer_file_name':'../x' | no separators",
                "'remote':false | 'remote':0 | neither true nor false",
                "'in_memory_layers' | 'memory' | in_memory_layers",
                "'kind':'Open' | 'kind':'Shut' | neither Open nor Frozen",
            })
    void refusesAMapThatCannotBeAndSaysWhere(String is, String becomes, String reason) throws IOException {
        String text = written(out -> LayerMapJson.write(out, example()));
        String from = is.replace('\'', '"');
        assertThat(text).contains(from);
        assertThatThrownBy(() -> map(text.replace(from, becomes.replace('\'', '"'))))
                .isInstanceOf(JsonParseException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void refusesADocumentThatEndsTooEarly() throws IOException {
        String text = written(out -> LayerMapJson.write(out, example()));
        for (int length = 0; length < text.length(); length += 31) {
            String part = text.substring(0, length);
            assertThatThrownBy(() -> map(part)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void refusesLayersInAnotherOrderThanADocumentHas() throws IOException {
        LayerMapInfo map = example();
        written(out -> {
            LayerMapWriter writer = new LayerMapWriter(out);
            writer.blob(map.blobLayers().get(0));
            assertThatThrownBy(() -> writer.historic(map.historicLayers().get(0)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("historic_layers");
            writer.close();
            writer.close();
            assertThatThrownBy(() -> writer.blob(map.blobLayers().get(0))).hasMessageContaining("the end");
        });
    }

    @Test
    void streamsAMapOfAnyLengthInBoundedMemory() throws IOException {
        HistoricLayerInfo layer = example().historicLayers().get(0);
        LayerMapInfo one = new LayerMapInfo(List.of(), List.of(layer), List.of());
        Sink sink = new Sink();
        try (JsonGenerator out = JSON.createGenerator(sink);
                LayerMapWriter writer = new LayerMapWriter(out)) {
            for (int i = 0; i < 1000; i++) {
                writer.historic(layer);
                // What was given is gone, but for the generator's buffers.
                assertThat(sink.bytes).isGreaterThan(i * 1000L - 20_000);
            }
        }
        assertThat(written(out -> LayerMapJson.write(out, one)).length()).isGreaterThan(1000);
    }

    private static final class Sink extends OutputStream {
        private long bytes;

        @Override
        public void write(int one) {
            bytes++;
        }

        @Override
        public void write(byte[] some, int from, int length) {
            bytes += length;
        }
    }
}
