// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ItemTest {
    @TempDir
    Path folder;

    @Test
    void shouldReadWhatItWrote() throws IOException {
        List<Item> items = List.of(new Item("b", "a//c d+e", "x/y"), new Item("b", "k", "k-2"));
        Item.write(items, folder.resolve("manifest"));
        assertThat(Item.read(folder.resolve("manifest"))).isEqualTo(items);
    }

    @Test
    void shouldNameTheLineThatIsNoObject() throws IOException {
        Path manifest = Files.writeString(folder.resolve("manifest"), "s3://b/k\nhttp://b/k\tx\n");
        assertThatThrownBy(() -> Item.read(manifest))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("line 2");
    }
}
