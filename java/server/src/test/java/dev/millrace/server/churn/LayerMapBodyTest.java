// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Flow;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayerMapBodyTest {
    private static final String MAP = """
            {"in_memory_layers":[{"kind":"Open","layer_file_name":"memory","layer_file_size":1}],
             "historic_layers":[
              {"kind":"Delta","layer_file_name":"a ä","layer_file_size":123,"remote":true,"l0":false,"access_stats":{
               "layer_file_name":"no","access_count_by_access_kind":{"remote":1},"first":{"remote":false},
               "accesses_history":{"buffer":[{"layer_file_size":9},[1,[2]]],"buffer_size":16}},"after":null},
              {"remote":false,"layer_file_size":9000000000,"layer_file_name":"b"}],
             "more":{"historic_layers":[{"layer_file_name":"deep","layer_file_size":1}]},
             "blob_layers":[{"layer_file_name":"c","layer_file_size":0,"remote":true}]}""";

    private static List<LayerState> parse(String json, int piece) {
        LayerMapBody body = LayerMapBody.create();
        body.onSubscribe(new Flow.Subscription() {
            @Override
            public void request(long items) {}

            @Override
            public void cancel() {}
        });
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        for (int at = 0; at < bytes.length; at += piece) {
            body.onNext(List.of(ByteBuffer.wrap(bytes, at, Math.min(piece, bytes.length - at))));
        }
        body.onComplete();
        return body.getBody().toCompletableFuture().join();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 64, 10_000})
    void takesTheLayersWhereverTheBytesAreCut(int piece) {
        assertThat(parse(MAP, piece))
                .containsExactly(
                        new LayerState("a ä", 123, true),
                        new LayerState("b", 9_000_000_000L, false),
                        new LayerState("c", 0, true));
    }

    @Test
    void aMapWithoutLayersIsOne() {
        assertThat(parse("{\"in_memory_layers\":[],\"historic_layers\":[]}", 5)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{}",
                "<html>",
                "{\"historic_layers\":[",
                "{\"historic_layers\":{}}",
                "{\"historic_layers\":[{\"layer_file_name\":\"a\"}]}",
                "{\"historic_layers\":[{\"layer_file_size\":1}]}",
                "{\"historic_layers\":[{\"layer_file_name\":\"a\",\"layer_file_size\":-1}]}",
                "{\"historic_layers\":[{\"layer_file_name\":\"a\",\"layer_file_size\":\"1\"}]}",
                "{\"historic_layers\":[{\"layer_file_name\":\"a\",\"layer_file_size\":99999999999999999999}]}",
            })
    void whatIsNoLayerMapIsSaidToBeNone(String json) {
        assertThatThrownBy(() -> parse(json, 3))
                .isInstanceOf(CompletionException.class)
                .cause()
                .hasMessageStartingWith("the answer is no layer map: ");
    }

    @Test
    void everyMapThatIsCutShortIsNone() {
        for (int length = 0; length < MAP.length(); length++) {
            String cut = MAP.substring(0, length);
            assertThatThrownBy(() -> parse(cut, 1000)).isInstanceOf(CompletionException.class);
        }
    }
}
