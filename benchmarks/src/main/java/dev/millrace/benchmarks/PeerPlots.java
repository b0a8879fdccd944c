// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;

/**
 * Throughput and CPU of all contenders against the number of downloads at once, as SVG and PNG: ours in strong reds, the
 * limit in black, rivals in cool colours.
 */
final class PeerPlots {
    private static final Color[] OURS = {
        new Color(0xC0, 0x10, 0x10),
        new Color(0xE0, 0x60, 0x20),
        new Color(0xE8, 0xA0, 0x30),
        new Color(0xA0, 0x20, 0x70),
        new Color(0xC8, 0x50, 0xA0),
        new Color(0xE0, 0x90, 0xC8)
    };
    private static final Color[] RIVALS = {
        new Color(0x10, 0x50, 0xA0),
        new Color(0x30, 0x90, 0xD0),
        new Color(0x10, 0x80, 0x70),
        new Color(0x50, 0xB0, 0x60),
        new Color(0x60, 0x60, 0xB0),
        new Color(0x70, 0x80, 0x90),
        new Color(0x90, 0xB0, 0xC0),
        new Color(0x80, 0x70, 0x50),
        new Color(0x40, 0xA0, 0xA0),
        new Color(0xA0, 0xA0, 0xA0)
    };

    private PeerPlots() {}

    /** Draws all plots that the lines have points for; their names begin as told. Returns the files. */
    static List<Path> draw(List<String> lines, Path base) throws IOException {
        // No display is needed, nor asked for.
        System.setProperty("java.awt.headless", "true");
        Map<String, Map<String, Map<Integer, PeerTable.Row>>> schemes = new LinkedHashMap<>();
        PeerTable.rows(lines)
                .forEach((workload, rows) -> rows.forEach((contender, row) -> {
                    if (!row.warm().isEmpty() && PeerTable.number(row.warm().get(0), "objects") > 1) {
                        schemes.computeIfAbsent(
                                        workload.substring(workload.lastIndexOf(' ') + 1), key -> new LinkedHashMap<>())
                                .computeIfAbsent(contender, key -> new TreeMap<>())
                                .put(row.concurrency(), row);
                    }
                }));
        List<Path> files = new ArrayList<>();
        for (var scheme : schemes.entrySet()) {
            String title = "many objects, " + scheme.getKey();
            String name = base + "-" + scheme.getKey().toLowerCase(Locale.ROOT);
            files.addAll(save(
                    chart(
                            "Throughput, " + title,
                            "MB/s",
                            scheme.getValue(),
                            row -> row.speed().middle()),
                    name + "-throughput"));
            files.addAll(save(
                    chart(
                            "CPU, " + title,
                            "CPU seconds a GiB",
                            scheme.getValue(),
                            row -> row.cpu().middle()),
                    name + "-cpu"));
        }
        return files;
    }

    private static XYChart chart(
            String title,
            String unit,
            Map<String, Map<Integer, PeerTable.Row>> contenders,
            ToDoubleFunction<PeerTable.Row> value) {
        XYChart chart = new XYChartBuilder()
                .width(1000)
                .height(620)
                .title(title)
                .xAxisTitle("downloads at once")
                .yAxisTitle(unit)
                .build();
        chart.getStyler().setXAxisLogarithmic(true);
        chart.getStyler().setYAxisMin(0.0);
        chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
        chart.getStyler().setMarkerSize(8);
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        int ours = 0;
        int rivals = 0;
        for (var contender : contenders.entrySet()) {
            String name = contender.getKey();
            double[] x = contender.getValue().keySet().stream()
                    .mapToDouble(Integer::doubleValue)
                    .toArray();
            double[] y =
                    contender.getValue().values().stream().mapToDouble(value).toArray();
            XYSeries series = chart.addSeries(name, x, y);
            if (name.startsWith("limit.c")) {
                series.setMarkerColor(Color.BLACK);
                series.setLineColor(Color.BLACK);
                series.setLineStyle(
                        new BasicStroke(2, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {6, 4}, 0));
            } else if (name.startsWith("get-") || name.startsWith("drop-in-")) {
                Color color = OURS[ours++ % OURS.length];
                series.setMarkerColor(color);
                series.setLineColor(color);
                series.setLineStyle(new BasicStroke(4));
            } else {
                Color color = RIVALS[rivals++ % RIVALS.length];
                series.setMarkerColor(color);
                series.setLineColor(color);
                series.setLineStyle(new BasicStroke(1.6f));
            }
        }
        return chart;
    }

    private static List<Path> save(XYChart chart, String name) throws IOException {
        ChartEncoder.saveChart(chart, name + ".svg", "svg");
        ChartEncoder.saveChart(chart, name + ".png", "png");
        return List.of(Path.of(name + ".svg"), Path.of(name + ".png"));
    }
}
