// SPDX-License-Identifier: Apache-2.0
package dev.millrace.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * A certificate authority that lives as long as a comparison, and a certificate by it for the server on loopback, made
 * by the JDK's keytool. Every client gets the authority to trust, so that all of them verify.
 *
 * <p>In the folder afterwards: {@code ca.pem}, {@code cert.pem} and {@code key.pem} for the server, {@code trust.p12} for
 * a JVM.
 */
public final class Authority {
    /** Of {@code trust.p12}; it guards nothing. */
    static final String PASSWORD = "millrace";

    private final Path folder;

    private Authority(Path folder) {
        this.folder = folder;
    }

    /** Makes the authority in a folder that is there. */
    static void make(Path folder) throws IOException, InterruptedException, GeneralSecurityException {
        new Authority(folder).make();
    }

    private void make() throws IOException, InterruptedException, GeneralSecurityException {
        keytool("-genkeypair -alias ca -keyalg EC -groupname secp256r1 -validity 30 -dname CN=millrace-bench-authority"
                + " -ext bc:c -ext ku:c=keyCertSign,cRLSign -keystore keys.p12");
        keytool(
                "-genkeypair -alias server -keyalg EC -groupname secp256r1 -validity 30 -dname CN=localhost -keystore keys.p12");
        keytool("-certreq -alias server -file server.csr -keystore keys.p12");
        keytool("-gencert -alias ca -infile server.csr -outfile cert.pem -rfc -validity 30"
                + " -ext san=dns:localhost,ip:127.0.0.1 -ext eku=serverAuth -keystore keys.p12");
        keytool("-exportcert -alias ca -rfc -file ca.pem -keystore keys.p12");
        keytool("-importcert -alias ca -noprompt -file ca.pem -keystore trust.p12");
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(folder.resolve("keys.p12"))) {
            keys.load(in, PASSWORD.toCharArray());
        }
        Key key = keys.getKey("server", PASSWORD.toCharArray());
        String text = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(key.getEncoded());
        Files.writeString(
                folder.resolve("key.pem"), "-----BEGIN PRIVATE KEY-----\n" + text + "\n-----END PRIVATE KEY-----\n");
    }

    private void keytool(String arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(Arrays.asList(arguments.split(" ", -1)));
        command.addAll(List.of("-storetype", "PKCS12", "-storepass", PASSWORD));
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("keytool " + arguments + " failed: " + said.strip());
        }
    }

    /** Makes an authority in the folder that is the one argument. */
    public static void main(String... args) throws Exception {
        if (args.length != 1) {
            System.err.println("usage: Authority FOLDER");
            System.exit(2);
        }
        make(Path.of(args[0]));
    }
}
