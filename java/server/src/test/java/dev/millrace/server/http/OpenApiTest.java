// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The document and the handlers say the same. */
class OpenApiTest {
    private static final Pattern VARIABLE = Pattern.compile("\\{([^}]+)}");

    private final OpenApi document = OpenApi.served();

    private static Map<String, Route> registered() {
        FakeService service = new FakeService();
        Map<String, Route> routes = new TreeMap<>();
        ManagementServer.Config config = ManagementServerTest.config(Optional.empty(), false);
        for (Route route :
                ManagementServer.routes(config, service, service, MetricsCalls.registry(config.launch(), service))) {
            routes.put(route.method() + " " + route.template(), route);
        }
        return routes;
    }

    @Test
    void describesEveryHandlerAndNothingElse() {
        Set<String> described = document.operations().stream()
                .map(OpenApi.Operation::call)
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(described).isEqualTo(registered().keySet());
    }

    @Test
    void describesEveryVariableOfEveryPath() {
        for (OpenApi.Operation operation : document.operations()) {
            Set<String> variables = new TreeSet<>();
            Matcher matcher = VARIABLE.matcher(operation.path());
            while (matcher.find()) {
                variables.add(matcher.group(1));
            }
            Set<String> described = operation.parameters().stream()
                    .filter(parameter -> parameter.in().equals("path"))
                    .map(OpenApi.Parameter::name)
                    .collect(Collectors.toCollection(TreeSet::new));
            assertThat(described).as(operation.call()).isEqualTo(variables);
        }
    }

    @Test
    void everyReferenceLeadsSomewhere() {
        assertThat(document.danglingReferences()).isEmpty();
    }

    @Test
    void everyOperationHasANameOfItsOwn() {
        assertThat(document.operations().stream().map(OpenApi.Operation::id))
                .doesNotHaveDuplicates()
                .doesNotContain("");
    }
}
