// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Whatever is asked, the answer is one that the document knows. */
public class RandomRequestsTest {
    /** What a request may be answered with that is none of the document. */
    private static final Set<Integer> UNKNOWN = Set.of(400, 404, 405, 413, 414, 431);

    private static final long SEED = Long.getLong("seed", 20_261_128);

    private final OpenApi document = OpenApi.served();

    @Test
    void answersWhatTheDocumentSays() throws Exception {
        run(400, SEED);
    }

    @Test
    @Tag("slow")
    void answersWhatTheDocumentSaysTwentyThousandTimes() throws Exception {
        run(20_000, SEED + 1);
    }

    private void run(int count, long seed) throws Exception {
        FakeService service = new FakeService();
        Map<String, List<String>> known = Map.of(
                Call.Ids.TENANT, List.of(FakeService.TENANT.toString()),
                Call.Ids.TIMELINE, List.of(FakeService.TIMELINE.toString()),
                Call.Ids.LAYER, List.of("first", "second", "first-00000001"));
        try (ManagementServer server = ManagementServer.open(
                ManagementServerTest.config(Optional.empty(), false), service, service, registry -> {})) {
            check(new Client(server.port()), new RandomRequests(document, known, seed), count);
        }
    }

    /** Sends requests and holds the answers to the document. */
    public static void check(Client client, RandomRequests requests, int count)
            throws IOException, InterruptedException {
        String before = "nothing";
        for (int i = 0; i < count; i++) {
            RandomRequests.Request request = requests.next();
            String which = i + " of seed " + SEED + ": " + request.method() + " " + request.target() + " "
                    + Call.shown(request.body());
            HttpResponse<String> response;
            try {
                response = client.send(request.method(), request.target(), request.body());
            } catch (IOException e) {
                throw new AssertionError(which + " had no answer, behind " + before, e);
            }
            before = which + " with " + response.statusCode();
            int status = response.statusCode();
            assertThat(status).as(which).isNotEqualTo(500);
            if (request.operation().isPresent()) {
                // A value may break the path in two, and then there is no such call.
                assertThat(status == 404
                                || status == 405
                                || request.operation().get().statuses().contains(status))
                        .as(which + " gave " + status)
                        .isTrue();
            } else {
                assertThat(status).as(which).matches(code -> code < 400 || UNKNOWN.contains(code) || code == 409);
            }
            if (status >= 400 && status != 409 && !request.method().equals("HEAD")) {
                assertThat(Client.message(response)).as(which).isNotEmpty().doesNotStartWith("not an error");
            }
            assertThat(response.headers().firstValue(Stamp.REQUEST_ID))
                    .as(which)
                    .isPresent();
            assertThat(response.headers().firstValue(LaunchTime.OLD_HEADER))
                    .as(which)
                    .isPresent();
        }
    }
}
