/**
 * HTTP, as OpenAI's API has it, over the JDK's own server.
 *
 * <pre>
 * ApiServer   listens; Guard says who may ask; reads bodies of bounded size; errors become JSON
 *   -> Endpoint  by method and path: ChatEndpoint, CompletionEndpoint, EmbeddingEndpoint, PredictionEndpoint, Models
 *        Fields        checks every field of a request, by name
 *        WritingFields what is to be written, and how
 *        TextWriter    writes in a thread of its own, tells the pieces to that of the request
 *   -> Reply     one JSON object, or events
 * </pre>
 */
@NullMarked
package dev.samediff.samples.serve.http;

import org.jspecify.annotations.NullMarked;
