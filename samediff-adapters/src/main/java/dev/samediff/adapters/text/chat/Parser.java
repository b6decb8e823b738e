package dev.samediff.adapters.text.chat;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.Lexer.Kind;
import dev.samediff.adapters.text.chat.Parts.Callable;
import dev.samediff.adapters.text.chat.Parts.Expression;
import dev.samediff.adapters.text.chat.Parts.Flow;
import dev.samediff.adapters.text.chat.Parts.Namespace;
import dev.samediff.adapters.text.chat.Parts.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Reads a template's statements: text, values, if, for, set, macro, break, continue, generation, and raw (which the lexer resolves). */
final class Parser {
    private final Tokens tokens;
    private final Expressions expressions;

    private Parser(Tokens tokens) {
        this.tokens = tokens;
        this.expressions = new Expressions(tokens);
    }

    /** Compiles a template. */
    static Statement parse(String template) {
        Tokens tokens = new Tokens(Lexer.tokens(template));
        Statement body = new Parser(tokens).body(Set.of());
        if (!tokens.sees(Kind.END)) {
            throw tokens.unexpected("the end of the template");
        }
        return body;
    }

    /** Statements up to one of these tags, whose name is the next token then. */
    private Statement body(Set<String> ends) {
        tokens.enter();
        List<Statement> statements = new ArrayList<>();
        while (true) {
            if (tokens.sees(Kind.DATA)) {
                String text = tokens.next().text();
                statements.add((scope, out) -> append(text, scope, out));
            } else if (tokens.sees(Kind.VALUE_BEGIN)) {
                tokens.next();
                Expression value = expressions.expression();
                tokens.expect(Kind.VALUE_END, "`}}`");
                statements.add((scope, out) -> append(Values.text(scope.run(), value.value(scope)), scope, out));
            } else if (tokens.sees(Kind.BLOCK_BEGIN)) {
                tokens.next();
                if (ends.contains(tokens.peek().text())) {
                    break;
                }
                statements.add(statement());
            } else if (ends.isEmpty()) {
                break;
            } else {
                throw tokens.unexpected("one of the tags " + new TreeSet<>(ends));
            }
        }
        tokens.leave();
        return (scope, out) -> {
            for (Statement statement : statements) {
                scope.run().step();
                Flow flow = statement.write(scope, out);
                if (flow != Flow.NEXT) {
                    return flow;
                }
            }
            return Flow.NEXT;
        };
    }

    private static Flow append(String text, Scope scope, StringBuilder out) {
        scope.run().grow(text.length());
        out.append(text);
        return Flow.NEXT;
    }

    private Statement statement() {
        String tag = tokens.name();
        return switch (tag) {
            case "if" -> condition();
            case "for" -> loop();
            case "set" -> set();
            case "macro" -> macro();
            case "generation" -> {
                end();
                Statement body = body(Set.of("endgeneration"));
                closing("endgeneration");
                yield (scope, out) -> {
                    int from = out.length();
                    Flow flow = body.write(scope, out);
                    scope.run().generated(out, from);
                    return flow;
                };
            }
            case "break" -> jump(Flow.BREAK);
            case "continue" -> jump(Flow.CONTINUE);
            default ->
                throw tokens.error("the tag `" + tag + "` is none that templates of conversations may use: if, for,"
                        + " set, macro, break, continue, generation, raw");
        };
    }

    private Statement jump(Flow flow) {
        end();
        return (scope, out) -> flow;
    }

    private void end() {
        tokens.expect(Kind.BLOCK_END, "`%}`");
    }

    private void closing(String tag) {
        tokens.expect(tag);
        end();
    }

    private Statement condition() {
        Expression condition = expressions.expression();
        end();
        Statement then = body(Set.of("elif", "else", "endif"));
        Statement otherwise = (scope, out) -> Flow.NEXT;
        if (tokens.takes("elif")) {
            tokens.enter();
            otherwise = condition();
            tokens.leave();
        } else if (tokens.takes("else")) {
            end();
            otherwise = body(Set.of("endif"));
            closing("endif");
        } else {
            closing("endif");
        }
        Statement rest = otherwise;
        return (scope, out) -> Values.isTrue(condition.value(scope)) ? then.write(scope, out) : rest.write(scope, out);
    }

    private List<String> names() {
        List<String> names = new ArrayList<>();
        boolean parenthesis = tokens.takes("(");
        do {
            names.add(tokens.name());
        } while (tokens.takes(","));
        if (parenthesis) {
            tokens.expect(")");
        }
        return names;
    }

    private static void assign(List<String> names, Object value, Scope scope) {
        if (names.size() == 1) {
            scope.set(names.get(0), value);
            return;
        }
        List<Object> values = Values.list(value);
        if (values.size() != names.size()) {
            throw new InvalidInputException("the chat template takes " + values.size() + " values apart into " + names);
        }
        for (int i = 0; i < names.size(); i++) {
            scope.set(names.get(i), values.get(i));
        }
    }

    private Statement loop() {
        List<String> names = names();
        tokens.expect("in");
        Expression over = expressions.or();
        Expression wanted = tokens.takes("if") ? expressions.expression() : scope -> true;
        end();
        Statement body = body(Set.of("else", "endfor"));
        Statement otherwise = (scope, out) -> Flow.NEXT;
        if (tokens.takes("else")) {
            end();
            otherwise = body(Set.of("endfor"));
        }
        closing("endfor");
        Statement empty = otherwise;
        return (scope, out) -> {
            List<Object> items = new ArrayList<>();
            Object all = over.value(scope);
            scope.run().grow(Operators.sizeAsList(all));
            for (Object item : Values.list(all)) {
                scope.run().step();
                Scope trial = scope.inner();
                assign(names, item, trial);
                if (Values.isTrue(wanted.value(trial))) {
                    items.add(item);
                }
            }
            return items.isEmpty() ? empty.write(scope, out) : turns(names, items, body, scope, out);
        };
    }

    private static Flow turns(List<String> names, List<Object> items, Statement body, Scope scope, StringBuilder out) {
        for (int i = 0; i < items.size(); i++) {
            scope.run().step();
            Scope turn = scope.inner();
            assign(names, items.get(i), turn);
            turn.set("loop", place(items, i));
            if (body.write(turn, out) == Flow.BREAK) {
                break;
            }
        }
        return Flow.NEXT;
    }

    /** What {@code loop} is in a turn. */
    private static Map<String, Object> place(List<Object> items, int i) {
        Map<String, Object> loop = new LinkedHashMap<>();
        loop.put("index", i + 1L);
        loop.put("index0", (long) i);
        loop.put("revindex", (long) items.size() - i);
        loop.put("revindex0", items.size() - 1L - i);
        loop.put("first", i == 0);
        loop.put("last", i == items.size() - 1);
        loop.put("length", (long) items.size());
        loop.put("previtem", i == 0 ? Special.UNDEFINED : items.get(i - 1));
        loop.put("nextitem", i == items.size() - 1 ? Special.UNDEFINED : items.get(i + 1));
        Callable cycle = (run, values, named) -> values.isEmpty() ? Special.NONE : values.get(i % values.size());
        loop.put("cycle", cycle);
        return loop;
    }

    private Statement set() {
        List<String> names = names();
        String member = names.size() == 1 && tokens.takes(".") ? tokens.name() : "";
        if (tokens.takes("=")) {
            Expression value = tuple();
            end();
            return (scope, out) -> {
                if (member.isEmpty()) {
                    assign(names, value.value(scope), scope);
                } else if (scope.get(names.get(0)) instanceof Namespace namespace) {
                    namespace.values().put(member, value.value(scope));
                } else {
                    throw new InvalidInputException("the chat template sets `" + names.get(0) + "." + member
                            + "`, but only a namespace can be changed");
                }
                return Flow.NEXT;
            };
        }
        end();
        Statement body = body(Set.of("endset"));
        closing("endset");
        return (scope, out) -> {
            StringBuilder text = new StringBuilder();
            body.write(scope.inner(), text);
            assign(names, text.toString(), scope);
            return Flow.NEXT;
        };
    }

    /** A value, or several without parentheses. */
    private Expression tuple() {
        List<Expression> items = new ArrayList<>(List.of(expressions.expression()));
        while (tokens.takes(",")) {
            items.add(expressions.expression());
        }
        return items.size() == 1
                ? items.get(0)
                : scope -> items.stream().map(one -> one.value(scope)).toList();
    }

    private Statement macro() {
        String name = tokens.name();
        Map<String, Expression> parameters = new LinkedHashMap<>();
        tokens.expect("(");
        while (!tokens.takes(")")) {
            String parameter = tokens.name();
            parameters.put(parameter, tokens.takes("=") ? expressions.expression() : scope -> Special.UNDEFINED);
            if (!tokens.sees(")")) {
                tokens.expect(",");
            }
        }
        end();
        Statement body = body(Set.of("endmacro"));
        closing("endmacro");
        return (scope, out) -> {
            Callable macro = (run, values, named) -> called(scope, parameters, body, values, named);
            scope.set(name, macro);
            return Flow.NEXT;
        };
    }

    private static Object called(
            Scope defined,
            Map<String, Expression> parameters,
            Statement body,
            List<Object> values,
            Map<String, Object> named) {
        Scope inside = defined.inner();
        int i = 0;
        for (Map.Entry<String, Expression> parameter : parameters.entrySet()) {
            Object given = i < values.size() ? values.get(i) : named.get(parameter.getKey());
            inside.set(parameter.getKey(), given == null ? parameter.getValue().value(inside) : given);
            i++;
        }
        StringBuilder text = new StringBuilder();
        defined.run().enter();
        body.write(inside, text);
        defined.run().leave();
        return text.toString();
    }
}
