/**
 * LangChain4j's models over those of this project, in one process; LangChain4j is on the class path of whoever uses them. Over HTTP,
 * {@code samples/run serve} answers LangChain4j's models for OpenAI.
 */
@NullMarked
package dev.samediff.samples.langchain;

import org.jspecify.annotations.NullMarked;
