// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SourceSpecTest {
    @ParameterizedTest
    @ValueSource(strings = {"a", "/a", "a//b", "a/./b", "../a", "a+b%20c?d#e", "*", " a ", "ä/😀", "a\nb"})
    void keysAreLiteral(String key) {
        SourceSpec spec = SourceSpec.parse("s3://bucket/" + key);
        assertThat(spec.bucket()).isEqualTo("bucket");
        assertThat(spec.key()).isEqualTo(key);
        assertThat(spec.isPrefix()).isFalse();
        assertThat(SourceSpec.parse(spec.toString())).isEqualTo(spec);
    }

    @Test
    void aSlashAtTheEndMeansAllBelow() {
        assertThat(SourceSpec.parse("s3://b/p/").isPrefix()).isTrue();
        assertThat(SourceSpec.parse("s3://b/").isPrefix()).isTrue();
        assertThat(SourceSpec.parse("s3://b")).isEqualTo(new SourceSpec("b", ""));
        assertThat(SourceSpec.parse("s3://b/x/y/z").lastPart()).isEqualTo("z");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "s3:/b/k", "http://b/k", "S3://b/k", "s3://", "s3:///k", "s3://b ad/k", "/b/k"})
    void whatIsNoSourceIsSaidInASentence(String text) {
        assertThatThrownBy(() -> SourceSpec.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching("'.*' (is no source: write s3://|names no bucket|is no name of a bucket).*");
    }
}
