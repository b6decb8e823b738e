package dev.samediff.adapters.text.chat;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.Lexer.Kind;
import dev.samediff.adapters.text.chat.Parts.Callable;
import dev.samediff.adapters.text.chat.Parts.Expression;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads expressions, by Jinja's precedence: if, or, and, not, comparisons, + -, ~, * / // %, **, signs, members and calls, filters and tests. */
final class Expressions {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> AFTER_TEST = Set.of("and", "or", "else", "if", "is", "in", "not", "recursive");

    private final Tokens tokens;

    Expressions(Tokens tokens) {
        this.tokens = tokens;
    }

    /** Arguments of a call. */
    private record Arguments(List<Expression> positional, Map<String, Expression> named) {
        List<Object> values(Scope scope) {
            List<Object> values = new ArrayList<>();
            positional.forEach(one -> values.add(one.value(scope)));
            return values;
        }

        Map<String, Object> namedValues(Scope scope) {
            Map<String, Object> values = new LinkedHashMap<>();
            named.forEach((name, one) -> values.put(name, one.value(scope)));
            return values;
        }
    }

    Expression expression() {
        tokens.enter();
        Expression value = or();
        while (tokens.takes("if")) {
            Expression then = value;
            Expression condition = or();
            Expression otherwise = tokens.takes("else") ? expression() : scope -> Special.UNDEFINED;
            value = scope -> Values.isTrue(condition.value(scope)) ? then.value(scope) : otherwise.value(scope);
        }
        tokens.leave();
        return value;
    }

    /** An expression without if, as loops go over. */
    Expression or() {
        Expression value = and();
        while (tokens.takes("or")) {
            Expression a = value;
            Expression b = and();
            value = scope -> {
                Object first = a.value(scope);
                return Values.isTrue(first) ? first : b.value(scope);
            };
        }
        return value;
    }

    private Expression and() {
        Expression value = not();
        while (tokens.takes("and")) {
            Expression a = value;
            Expression b = not();
            value = scope -> {
                Object first = a.value(scope);
                return Values.isTrue(first) ? b.value(scope) : first;
            };
        }
        return value;
    }

    private Expression not() {
        if (!tokens.takes("not")) {
            return comparison();
        }
        tokens.enter();
        Expression value = not();
        tokens.leave();
        return scope -> !Values.isTrue(value.value(scope));
    }

    private Expression comparison() {
        Expression value = sum();
        while (true) {
            if (tokens.sees(Kind.OPERATOR) && COMPARISONS.contains(tokens.peek().text())) {
                value = Operators.of(tokens.next().text(), value, sum());
            } else if (tokens.takes("in")) {
                value = Operators.of("in", value, sum());
            } else if (tokens.sees("not", "in")) {
                tokens.next();
                tokens.next();
                value = Operators.of("not in", value, sum());
            } else {
                return value;
            }
        }
    }

    private Expression sum() {
        Expression value = concatenation();
        while (tokens.sees("+") || tokens.sees("-")) {
            value = Operators.of(tokens.next().text(), value, concatenation());
        }
        return value;
    }

    private Expression concatenation() {
        Expression value = product();
        while (tokens.takes("~")) {
            value = Operators.of("~", value, product());
        }
        return value;
    }

    private Expression product() {
        Expression value = power();
        while (tokens.sees("*") || tokens.sees("/") || tokens.sees("//") || tokens.sees("%")) {
            value = Operators.of(tokens.next().text(), value, power());
        }
        return value;
    }

    private Expression power() {
        Expression value = signed(true);
        while (tokens.takes("**")) {
            value = Operators.of("**", value, signed(true));
        }
        return value;
    }

    private Expression signed(boolean filtered) {
        Expression value;
        if (tokens.takes("-")) {
            tokens.enter();
            value = Operators.of("-", scope -> 0L, signed(false));
            tokens.leave();
        } else if (tokens.takes("+")) {
            tokens.enter();
            value = signed(false);
            tokens.leave();
        } else {
            value = members(primary());
        }
        return filtered ? filters(value) : value;
    }

    private Expression primary() {
        if (tokens.sees(Kind.STRING)) {
            StringBuilder text = new StringBuilder();
            while (tokens.sees(Kind.STRING)) { // strings beside each other are one
                text.append(tokens.next().text());
            }
            String string = text.toString();
            return scope -> string;
        }
        if (tokens.sees(Kind.INTEGER) || tokens.sees(Kind.FLOAT)) {
            boolean whole = tokens.sees(Kind.INTEGER);
            String digits = tokens.next().text();
            if (whole && digits.length() > 18) {
                throw tokens.error("the number " + digits.substring(0, 18) + "... is too large");
            }
            Object number = whole ? (Object) Long.parseLong(digits) : (Object) Double.parseDouble(digits);
            return scope -> number;
        }
        if (tokens.sees(Kind.NAME)) {
            return name(tokens.next().text());
        }
        tokens.enter();
        try {
            if (tokens.takes("(")) {
                return parenthesis();
            }
            if (tokens.takes("[")) {
                return list(items("]"));
            }
            if (tokens.takes("{")) {
                return map();
            }
        } finally {
            tokens.leave();
        }
        throw tokens.unexpected("a value");
    }

    private static Expression name(String name) {
        return switch (name) {
            case "true", "True" -> scope -> true;
            case "false", "False" -> scope -> false;
            case "none", "None" -> scope -> Special.NONE;
            default ->
                scope -> {
                    scope.run().step();
                    return scope.get(name);
                };
        };
    }

    private Expression parenthesis() {
        if (tokens.takes(")")) {
            return scope -> List.of();
        }
        Expression first = expression();
        if (tokens.takes(")")) {
            return first;
        }
        tokens.expect(",");
        List<Expression> items = new ArrayList<>(List.of(first));
        items.addAll(items(")"));
        return list(items);
    }

    private List<Expression> items(String close) {
        List<Expression> items = new ArrayList<>();
        while (!tokens.takes(close)) {
            items.add(expression());
            if (!tokens.sees(close)) {
                tokens.expect(",");
            }
        }
        return items;
    }

    private static Expression list(List<Expression> items) {
        return scope -> {
            scope.run().grow(items.size());
            List<Object> values = new ArrayList<>();
            items.forEach(one -> values.add(one.value(scope)));
            return values;
        };
    }

    private Expression map() {
        Map<Expression, Expression> items = new LinkedHashMap<>();
        while (!tokens.takes("}")) {
            Expression key = expression();
            tokens.expect(":");
            items.put(key, expression());
            if (!tokens.sees("}")) {
                tokens.expect(",");
            }
        }
        return scope -> {
            scope.run().grow(items.size());
            Map<Object, Object> values = new LinkedHashMap<>();
            items.forEach((key, value) -> {
                Object name = key.value(scope);
                if (!(name instanceof String || name instanceof Number || name instanceof Boolean)) {
                    throw new InvalidInputException(
                            "the chat template makes a mapping with " + Values.kind(name) + " for a key");
                }
                values.put(name, value.value(scope));
            });
            return values;
        };
    }

    /** {@code .name}, {@code [key]}, {@code [a:b]} and {@code (...)} behind a value. */
    private Expression members(Expression first) {
        Expression value = first;
        while (true) {
            Expression of = value;
            if (tokens.takes(".")) {
                String name = tokens.sees(Kind.INTEGER) ? tokens.next().text() : tokens.name();
                value = tokens.takes("(") ? method(of, name, arguments()) : scope -> member(of, name, scope);
            } else if (tokens.takes("[")) {
                value = subscript(of);
            } else if (tokens.takes("(")) {
                Arguments arguments = arguments();
                value = scope -> call(of.value(scope), arguments, scope);
            } else {
                return value;
            }
        }
    }

    private static Object member(Expression of, Object key, Scope scope) {
        Object value = of.value(scope);
        scope.run().step();
        if (value instanceof String text) {
            scope.run().grow(text.length());
        }
        return Values.member(value, key);
    }

    private static Expression method(Expression of, String name, Arguments arguments) {
        return scope -> {
            Object value = of.value(scope);
            boolean own = value instanceof String || (value instanceof Map<?, ?> map && !map.containsKey(name));
            return own
                    ? Methods.call(scope.run(), value, name, arguments.values(scope))
                    : call(Values.member(value, name), arguments, scope);
        };
    }

    private static Object call(Object what, Arguments arguments, Scope scope) {
        scope.run().step();
        if (!(what instanceof Callable callable)) {
            throw new InvalidInputException("the chat template calls " + Values.kind(what)
                    + "; this library knows range, namespace, dict, raise_exception, strftime_now and macros");
        }
        return callable.call(scope.run(), arguments.values(scope), arguments.namedValues(scope));
    }

    private Expression subscript(Expression of) {
        Expression nothing = scope -> Special.NONE;
        Expression[] bounds = {nothing, nothing, nothing};
        int colons = 0;
        while (!tokens.takes("]")) {
            if (tokens.takes(":")) {
                if (++colons > 2) {
                    throw tokens.unexpected("`]`");
                }
            } else {
                bounds[colons] = expression();
                if (!tokens.sees(":") && !tokens.sees("]")) {
                    throw tokens.unexpected("`]`");
                }
            }
        }
        if (colons == 0) {
            return scope -> member(of, bounds[0].value(scope), scope);
        }
        return scope -> {
            Object value = of.value(scope);
            scope.run().grow(Operators.sizeAsList(value));
            return Values.slice(value, bounds[0].value(scope), bounds[1].value(scope), bounds[2].value(scope));
        };
    }

    /** Reads arguments behind the opening parenthesis. */
    private Arguments arguments() {
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!tokens.takes(")")) {
            if (tokens.sees(Kind.NAME) && tokens.sees(tokens.peek().text(), "=")) {
                String name = tokens.name();
                tokens.expect("=");
                named.put(name, expression());
            } else {
                positional.add(expression());
            }
            if (!tokens.sees(")")) {
                tokens.expect(",");
            }
        }
        return new Arguments(positional, named);
    }

    private Expression filters(Expression first) {
        Expression value = first;
        while (true) {
            Expression of = value;
            if (tokens.takes("|")) {
                String name = tokens.name();
                Arguments arguments = tokens.takes("(") ? arguments() : new Arguments(List.of(), Map.of());
                value = scope -> {
                    Object input = of.value(scope);
                    scope.run().grow(Operators.size(input));
                    return Filters.filter(
                            scope.run(), name, input, arguments.values(scope), arguments.namedValues(scope));
                };
            } else if (tokens.takes("is")) {
                boolean negated = tokens.takes("not");
                String name = tokens.name();
                Arguments arguments = testArguments();
                value = scope -> negated != Filters.test(scope.run(), name, of.value(scope), arguments.values(scope));
            } else {
                return value;
            }
        }
    }

    private Arguments testArguments() {
        if (tokens.takes("(")) {
            return arguments();
        }
        boolean follows = tokens.sees(Kind.STRING)
                || tokens.sees(Kind.INTEGER)
                || tokens.sees(Kind.FLOAT)
                || tokens.sees("[")
                || (tokens.sees(Kind.NAME) && !AFTER_TEST.contains(tokens.peek().text()));
        return new Arguments(follows ? List.of(members(primary())) : List.of(), Map.of());
    }
}
