// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.churn;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.async.ByteBufferFeeder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/**
 * Takes the layers out of a layer map as its bytes come, so that of a map with many layers only names, sizes and residence
 * are ever kept. A body that is no layer map, or none to its end, completes with an {@link IOException}.
 */
final class LayerMapBody implements BodySubscriber<List<LayerState>> {
    /** More layers than a timeline has; so many names still fit into memory. */
    private static final int MAX_LAYERS = 1_000_000;

    private static final JsonFactory FACTORY = new JsonFactory();

    private final CompletableFuture<List<LayerState>> result = new CompletableFuture<>();
    private final List<LayerState> layers = new ArrayList<>();
    private final JsonParser parser;
    private final ByteBufferFeeder feeder;

    private int depth;
    private boolean inSection;
    private boolean hasSection;
    private String field = "";
    private String name = "";
    private long bytes = -1;
    private boolean remote;

    private LayerMapBody(JsonParser parser) {
        this.parser = parser;
        this.feeder = (ByteBufferFeeder) parser.getNonBlockingInputFeeder();
    }

    static LayerMapBody create() {
        try {
            return new LayerMapBody(FACTORY.createNonBlockingByteBufferParser());
        } catch (IOException e) {
            throw new UncheckedIOException("a parser that has read nothing yet has failed", e);
        }
    }

    @Override
    public CompletionStage<List<LayerState>> getBody() {
        return result;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        if (result.isDone()) {
            return; // what follows a failure only keeps the connection usable
        }
        try {
            for (ByteBuffer buffer : buffers) {
                feeder.feedInput(buffer);
                take();
            }
        } catch (IOException e) {
            result.completeExceptionally(noMap(e));
        }
    }

    @Override
    public void onError(Throwable problem) {
        result.completeExceptionally(problem);
    }

    @Override
    public void onComplete() {
        if (result.isDone()) {
            return;
        }
        try {
            feeder.endOfInput();
            take();
            if (depth != 0 || !hasSection) {
                throw new IOException("there is no list of layers in it");
            }
            result.complete(List.copyOf(layers));
        } catch (IOException e) {
            result.completeExceptionally(noMap(e));
        }
    }

    private static IOException noMap(IOException e) {
        return new IOException("the answer is no layer map: " + e.getMessage(), e);
    }

    private void take() throws IOException {
        for (JsonToken token = parser.nextToken();
                token != null && token != JsonToken.NOT_AVAILABLE;
                token = parser.nextToken()) {
            take(token);
        }
    }

    /** Depth 1 is the map, 2 the list of a kind of layers, 3 a layer; what lies deeper are its statistics. */
    private void take(JsonToken token) throws IOException {
        if (token.isStructStart()) {
            depth++;
            inSection = depth == 2 ? token == JsonToken.START_ARRAY && isSection(field) : inSection;
            hasSection |= inSection;
            if (depth == 3) {
                name = "";
                bytes = -1;
                remote = false;
            }
        } else if (token.isStructEnd()) {
            if (depth == 3 && inSection) {
                add();
            }
            depth--;
        } else if (token == JsonToken.FIELD_NAME) {
            if (depth == 1 || depth == 3) {
                field = parser.currentName();
            }
        } else if (depth == 3 && inSection) {
            value(token);
        }
    }

    private static boolean isSection(String name) {
        return name.equals("historic_layers") || name.equals("blob_layers");
    }

    private void value(JsonToken token) throws IOException {
        switch (field) {
            case "layer_file_name" -> name = parser.getText();
            case "layer_file_size" -> bytes = token == JsonToken.VALUE_NUMBER_INT ? parser.getLongValue() : -1;
            case "remote" -> remote = token == JsonToken.VALUE_TRUE;
            default -> {
                // of no use here
            }
        }
    }

    private void add() throws IOException {
        if (name.isEmpty() || bytes < 0) {
            throw new IOException("layer " + (layers.size() + 1) + " has no name or no size");
        }
        if (layers.size() == MAX_LAYERS) {
            throw new IOException("it has more than " + MAX_LAYERS + " layers");
        }
        layers.add(new LayerState(name, bytes, remote));
    }
}
