// SPDX-License-Identifier: Apache-2.0
package dev.millrace.layers.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.layers.Generation;
import dev.millrace.layers.LayerName;
import dev.millrace.layers.Lsn;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IndexPartTest {
    private static final String IMAGE =
            "000000067F00004004000060090000000000-000000067F00004004000060090000000001__000000000169C3B0";

    private static IndexPart parse(String document) throws StoreFailure.IndexUnreadable {
        return IndexPartJson.parse(document.getBytes(StandardCharsets.UTF_8), "s3://bucket/index");
    }

    private static IndexPart sample() {
        return new IndexPart(Map.of(), new Lsn(0x16B9188))
                .with(LayerName.parse(IMAGE), LayerFile.of(123, new Generation(0xffff_fffe)))
                .with(
                        LayerName.parse("blob"),
                        new LayerFile(0, Optional.of(Generation.FIRST), Optional.of("crc32c:4waSgw==")));
    }

    @Test
    void readsWhatItWrote() throws Exception {
        byte[] document = IndexPartJson.write(sample());
        assertThat(new String(document, StandardCharsets.UTF_8))
                .isEqualTo("{\"version\":1,\"layer_metadata\":{\"" + IMAGE
                        + "\":{\"file_size\":123,\"generation\":4294967294},"
                        + "\"blob\":{\"file_size\":0,\"generation\":1,\"checksum\":\"crc32c:4waSgw==\"}},"
                        + "\"disk_consistent_lsn\":\"0/16B9188\"}");
        IndexPart read = IndexPartJson.parse(document, "x");
        assertThat(read).isEqualTo(sample());
        assertThat(read.layers().get(LayerName.parse("blob")).crc32c()).contains("4waSgw==");
    }

    @Test
    void readsAnOlderVersionAndPassesOverWhatItDoesNotKnow() throws Exception {
        IndexPart old =
                parse("{\"note\":{\"a\":[1,{}]},\"layer_metadata\":{\"x-v1-00000003\":{\"file_size\":7,\"b\":[]}},"
                        + "\"disk_consistent_lsn\":\"1/A\"}");
        LayerFile file = old.layers().get(LayerName.parse("x"));
        assertThat(file).isEqualTo(new LayerFile(7, Optional.empty(), Optional.empty()));
        assertThat(file.nameOf(LayerName.parse("x"))).hasToString("x");
        assertThat(old.diskConsistentLsn()).isEqualTo(new Lsn(0x1_0000_000AL));
    }

    @Test
    void refusesANewerVersionByName() {
        assertThatThrownBy(() -> parse("{\"version\":2,\"layer_metadata\":7}"))
                .isInstanceOf(StoreFailure.IndexUnreadable.class)
                .hasMessageContaining("s3://bucket/index")
                .hasMessageContaining("its version is 2, and 1 is the newest");
    }

    @Test
    void noticesThatItIsCutShortAnywhere() {
        byte[] whole = IndexPartJson.write(sample());
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> IndexPartJson.parse(part, "s3://bucket/index"))
                    .isInstanceOf(StoreFailure.IndexUnreadable.class)
                    .hasMessageStartingWith("s3://bucket/index is no index of layers: ");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[]|the document is no object",
                "{'layer_metadata':{},'disk_consistent_lsn':'0/0'} x|no index",
                "{'layer_metadata':{},'disk_consistent_lsn':'0/0'}{}|something follows",
                "{'layer_metadata':{}}|it lacks disk_consistent_lsn",
                "{'disk_consistent_lsn':'0/0'}|it lacks layer_metadata",
                "{'layer_metadata':{'a':{'file_size':1},'a':{'file_size':1}}}|Duplicate field 'a'",
                "{'layer_metadata':{'a':{'file_size':1},'a-00000001':{'file_size':1}}}|layer a is there twice",
                "{'layer_metadata':{'a':{'file_size':-1}}}|layer a: file_size is -1",
                "{'layer_metadata':{'a':{'file_size':17592186044417}}}|file_size is 17592186044417",
                "{'layer_metadata':{'a':{'file_size':99999999999999999999999999}}}|file_size is 9999",
                "{'layer_metadata':{'a':{'file_size':1.5}}}|file_size is no whole number",
                "{'layer_metadata':{'a':{'file_size':'1'}}}|file_size is no whole number",
                "{'layer_metadata':{'a':{'file_size':1,'generation':4294967296}}}|generation is 4294967296",
                "{'layer_metadata':{'a':{}}}|it lacks file_size",
                "{'layer_metadata':{'../a':{'file_size':1}}}|'../a' is not the name of a layer",
                "{'layer_metadata':{},'disk_consistent_lsn':'nonsense'}|'nonsense' is not an LSN",
                "{'layer_metadata':{},'disk_consistent_lsn':null}|disk_consistent_lsn is no text",
                "{'version':-1}|version is -1"
            })
    void saysWhatIsWrong(String document, String reason) {
        assertThatThrownBy(() -> parse(document.replace('\'', '"')))
                .isInstanceOf(StoreFailure.IndexUnreadable.class)
                .hasMessageStartingWith("s3://bucket/index")
                .hasMessageContaining(reason);
    }

    @Test
    void takesManyLayersAtOnceAsOneByOne() {
        LayerName blob = LayerName.parse("blob");
        LayerName other = LayerName.parse("other");
        LayerFile file = LayerFile.of(7, Generation.FIRST);
        Map<LayerName, LayerFile> many = new LinkedHashMap<>();
        many.put(blob, file);
        many.put(other, file);
        IndexPart index = sample().with(many);
        assertThat(index).isEqualTo(sample().with(blob, file).with(other, file));
        assertThat(index.layers().keySet()).containsExactly(LayerName.parse(IMAGE), blob, other);
        assertThat(index.diskConsistentLsn()).isEqualTo(sample().diskConsistentLsn());
    }

    @Test
    void knowsOnlyWholeNames() {
        assertThat(IndexPart.generationOf("index_part.json-0000002a")).contains(new Generation(42));
        for (String other : new String[] {
            "index_part.json",
            "index_part.json-",
            "index_part.json-0000002",
            "index_part.json-0000002A",
            "index_part.json-0000002a.part",
            "index_part.json-0000002a-00000001",
            "xindex_part.json-0000002a"
        }) {
            assertThat(IndexPart.generationOf(other)).isEmpty();
        }
    }
}
