// SPDX-License-Identifier: Apache-2.0
/**
 * What tests, demo and benchmarks download from: an embedded S3 server, and two servers that misbehave on request.
 *
 * <ul>
 *   <li>{@link dev.millrace.testkit.EmbeddedS3}: a real S3 protocol, signatures checked, over a folder;
 *       {@link dev.millrace.testkit.EmbeddedS3Main} is the same as a process.
 *   <li>{@link dev.millrace.testkit.FaultProxy}: stands before it and does to each request what a script says.
 *   <li>{@link dev.millrace.testkit.ScriptedServer}: no signatures, but objects of any size, any key and any manners.
 *   <li>{@link dev.millrace.testkit.Content}: bytes by formula, so that 5 GiB cost no memory.
 * </ul>
 *
 * <h2>How the embedded server answers (s3proxy 4.1.0 over a folder; each found by trial)</h2>
 *
 * <table>
 *   <caption>What to expect, and where to use the scripted server instead</caption>
 *   <tr><th>Asked</th><th>Answered</th></tr>
 *   <tr><td>wrong secret, no signature</td>
 *       <td>403 {@code SignatureDoesNotMatch}, 403 {@code AccessDenied}</td></tr>
 *   <tr><td>Range {@code a-b}, {@code a-}, {@code -n}, beyond the end</td>
 *       <td>206 with Content-Range and total; the end is cut to the object's</td></tr>
 *   <tr><td>Range from the size on; any range of an empty object; last before first</td>
 *       <td>416 {@code InvalidRange}, without a Content-Range</td></tr>
 *   <tr><td>several ranges; another unit</td><td>200 and the whole</td></tr>
 *   <tr><td>ETag</td>
 *       <td>strong: MD5 of what was put whole, {@code "...-N"} of a multipart upload; none of files laid into the
 *           folder by other means</td></tr>
 *   <tr><td>If-Match, If-None-Match</td><td>honoured: 412 {@code PreconditionFailed}, 304</td></tr>
 *   <tr><td>checksum mode</td>
 *       <td>the checksum and {@code x-amz-checksum-type: FULL_OBJECT}, but only of objects put with
 *           {@link dev.millrace.testkit.EmbeddedS3#put(String, String, dev.millrace.testkit.Content,
 *           dev.millrace.testkit.S3Checksum)} or uploaded with the value in a header; what the SDK sends as a trailer,
 *           which is its default, is checked and forgotten. Multipart uploads by the SDK get none, so there are no
 *           composite ones. Not sent with a 206.</td></tr>
 *   <tr><td>{@code partNumber}</td>
 *       <td>1 of an object put whole: 200; a part of a multipart upload: 501; another part of
 *           an object put whole: 400 {@code InvalidPart}</td></tr>
 *   <tr><td>{@code versionId}</td><td>501 {@code NotImplemented}</td></tr>
 *   <tr><td>ListObjectsV2, ListObjects</td>
 *       <td>prefix, delimiter {@code /} only (another: 400), paging; the token is the last key; sorted as UTF-16, not as bytes. Each
 *           page walks the whole prefix: do not list a hundred thousand keys.</td></tr>
 *   <tr><td>{@code encoding-type=url}</td>
 *       <td>honoured, a space is {@code %20}; without it a key with a control character breaks the listing</td></tr>
 *   <tr><td>keys with space, {@code + % ? # \ ; &}, Unicode, control characters</td><td>kept apart and exact</td></tr>
 *   <tr><td>keys with {@code //} or a leading {@code /}</td><td>403 {@code SignatureDoesNotMatch}</td></tr>
 *   <tr><td>keys with {@code /./} or {@code /../}</td>
 *       <td>the same object as without them; out of the bucket: 400</td></tr>
 *   <tr><td>a part of a key over 255 bytes; a NUL</td><td>500 {@code InternalError}; 400</td></tr>
 *   <tr><td>a key that ends in a slash</td><td>an empty folder marker; content put there is dropped</td></tr>
 *   <tr><td>{@code a} and {@code a/b} in one bucket</td><td>cannot both be: the second is refused, 500
 *           {@code InternalError}</td></tr>
 *   <tr><td>bucket names</td><td>3 to 63 characters; else {@code NoSuchBucket}</td></tr>
 *   <tr><td>virtual hosted addressing</td><td>off: path style only</td></tr>
 *   <tr><td>Host of a proxy's address</td><td>accepted: the signature is checked with the Host that came</td></tr>
 * </table>
 */
package dev.millrace.testkit;
