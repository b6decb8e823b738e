"""Renders templates and small pieces of Jinja with jinja2, set up as transformers' apply_chat_template sets it up, for
ChatTemplateTest. Published templates are those of the models' tokenizer_config.json; of long ones the branches for tools are left out.

    python3 chat_templates.py > ../resources/dev/samediff/adapters/text/chat/rendered.json      (needs jinja2 3.1)
"""

import json

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] +"
    " '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token +"
    " content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{"
    " '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for"
    " message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must"
    " alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{%"
    " else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim +"
    " '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{"
    " raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] =="
    " 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] +"
    " eos_token}}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{%"
    " else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if"
    " loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' +"
    " message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token +"
    " '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token"
    " }}{% endif %}{% endfor %}"
)
QWEN25 = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
QWEN3 = """{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system") %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set content = message.content %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is defined and message.reasoning_content is not none %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in message.content %}
                {%- set content = message.content.split('</think>')[-1].lstrip('\\n') %}
                {%- set reasoning_content = message.content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- else %}
                {{- '<|im_start|>' + message.role + '\\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""
GEMMA3 = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '

' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '

' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '
' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>
' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model
'}}
{%- endif -%}
"""
LLAMA31 = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{#- This block extracts the system message, so we can slot it into the right place. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{#- System message + builtin tools #}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
# Llama 3.2's, which asks for the day where Llama 3.1's has one
LLAMA32 = LLAMA31.replace(
    """    {%- set date_string = "26 Jul 2024" %}
""",
    """    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
""",
)
# as TRL patches templates for assistant_only_loss (trl/chat_templates/qwen3_training.jinja, in small), and Llama 3 in the same way
MARKED = {
    "marked chatml": """{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}
        {%- generation %}
        {{- message.content + '<|im_end|>' }}
        {%- endgeneration %}
        {{- '\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}""",
    "marked llama3": "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message.role }}<|end_header_id|>\n\n{% if message.role =="
    " 'assistant' %}{% generation %}{{ message.content | trim }}<|eot_id|>{% endgeneration %}{% else %}{{ message.content | trim }}<|eot_id|>"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
    "marked blanks": "a  {% generation %}\n b {{ messages[0].role }} {% endgeneration %}\n c {%- generation -%} d {%- endgeneration -%} e",
}
PUBLISHED = dict(chatml=CHATML, llama2=LLAMA2, llama3=LLAMA3, llama31=LLAMA31, llama32=LLAMA32, gemma=GEMMA, gemma3=GEMMA3, mistral=MISTRAL,
                 qwen25=QWEN25, qwen3=QWEN3)


def turns(*contents, system=None):
    messages = [] if system is None else [dict(role="system", content=system)]
    return messages + [dict(role=("user", "assistant")[i % 2], content=text) for i, text in enumerate(contents)]


CONVERSATIONS = [
    turns("Hi"),
    turns(" Write a hello world program\n", "print('hello') \n", "Thanks \"a\" \\n é😀"),
    turns("What is France's capital?", system="You are a helpful AI assistant for travel tips and recommendations"),
    turns("a", "<think>\nhmm\n</think>\n\nb", system=" s "),
    turns("a", "b", "c", "d"),
    [dict(role="assistant", content="x"), dict(role="user", content="y")],
]

PIECES = r"""
{{ 1 + 2 * 3 ** 2 // 4 - 5 % 3 }}|{{ -7 // 2 }}|{{ -7 % 3 }}|{{ 7 / 2 }}|{{ 2 ** 3 }}|{{ 1.5 + 1 }}|{{ 6 / 2 }}
{{ 'a' ~ 1 ~ none ~ true ~ 1.0 }}|{{ 'ab' * 2 }}|{{ [1] + [2] }}|{{ 'a' 'b' }}|{{ "x'y" }}|{{ ['a\'b', "c", 1, none, {'k': 'v'}] }}
{{ 1 < 2 and not 2 < 1 or false }}|{{ '' or 'x' }}|{{ 'x' and 'y' }}|{{ not none }}|{{ 1 == 1.0 }}|{{ 'a' == 'a' }}|{{ [] == [] }}
{{ 'a' in 'abc' }}|{{ 'z' not in ['a'] }}|{{ 'role' in messages[0] }}|{{ 2 in [1, 2.0] }}|{{ 1 if false }}|{{ 1 if false else 2 if true else 3 }}
{{ nothing }}|{{ nothing is defined }}|{{ nothing | default('d') }}|{{ '' | default('d', true) }}|{{ messages[0].nothing is undefined }}|{{ messages[9] is defined }}
{{ 'abcdef'[1:3] }}|{{ 'abcdef'[::-1] }}|{{ 'abcdef'[-2:] }}|{{ 'abcdef'[:-2] }}|{{ 'abcdef'[4:1:-1] }}|{{ [1,2,3,4][::2] }}|{{ 'ab'[5:] }}|{{ 'ab'[-9:9] }}|{{ 'ab'[::-9] }}|{{ 'abc'[-1] }}
{{ ' x '.strip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'xxa'.lstrip('x') }}|{{ 'axx'.rstrip('x') }}|{{ 'a b  c '.split() }}|{{ 'a,b,c'.split(',') }}|{{ 'a,b,c'.split(',', 1) }}|{{ ''.split() }}|{{ ''.split(',') }}
{{ 'aBc dE'.title() }}|{{ 'aBc'.capitalize() }}|{{ 'aBc'.upper() }}|{{ 'aBc'.lower() }}|{{ 'abab'.replace('a', 'x') }}|{{ 'abab'.replace('a', 'x', 1) }}|{{ 'ab'.find('b') }}|{{ 'ab'.find('z') }}|{{ 'aab'.count('a') }}
{{ 'ab'.startswith('a') }}|{{ 'ab'.endswith(('x', 'b')) }}|{{ '-'.join(['a', 'b']) }}|{{ 'a\nb'.splitlines() }}|{{ '12'.isdigit() }}|{{ 'abc'.removeprefix('ab') }}|{{ 'abc'.removesuffix('bc') }}
{{ {'a': 1, 'b': 'x'}.items() | list | length }}|{{ {'a': 1}.get('a') }}|{{ {'a': 1}.get('z') }}|{{ {'a': 1}.get('z', 5) }}|{{ {'a': 1}.keys() | list }}|{{ {'a': 1}.values() | list }}|{{ {'a': {'b': 2}}.a.b }}|{{ {'a': 1}['a'] }}
{{ messages[0] | tojson }}|{{ {'a': [1, true, none, 1.5, "é\n\"<b>'\x1b"], 'b': {}, 'c': []} | tojson }}
{{ {'a': [1, {'b': 2}], 'c': []} | tojson(indent=2) }}
{{ ' x ' | trim }}|{{ [3,1] | first }}|{{ [3,1] | last }}|{{ [1,2] | join('-') }}|{{ 'abc' | length }}|{{ 'aBc' | upper }}|{{ 'abc' | replace('b','x') }}|{{ '5' | int + 1 }}|{{ 'x' | int }}|{{ -3 | abs }}|{{ 'ab' | list }}|{{ [1,2] | reverse | list }}|{{ 'ab' | reverse }}
{{ messages | map(attribute='role') | list }}|{{ messages | selectattr('role', 'equalto', 'user') | list | length }}|{{ messages | rejectattr('role', 'equalto', 'user') | list | length }}|{{ [0, 1, 2] | select | list }}|{{ [0, 1, 2] | select('odd') | list }}|{{ [1,1,2] | unique | list }}|{{ ['a'] | map('upper') | list }}
{{ 'a\nb\n\nc' | indent }}|{{ 'a\nb' | indent(2, true) }}|{{ 'a\nb' | indent(width=1, first=true) }}
{{ 1 is number }}|{{ 'a' is string }}|{{ messages is iterable }}|{{ messages[0] is mapping }}|{{ none is none }}|{{ 3 is odd }}|{{ 4 is divisibleby 2 }}|{{ true is true }}|{{ 1 is true }}|{{ 1 is eq 1 }}|{{ 'a' is in ['a'] }}|{{ 1 is not none }}|{{ true is boolean }}|{{ 1.0 is float }}|{{ 1 is integer }}|{{ [] is sequence }}
{% for x in [1, 2, 3] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %}
{% for x in [1, 2, 3, 4] if x is even %}{{ x }}{{ loop.last }}{% else %}none{% endfor %}|{% for x in [] %}a{% else %}none{% endfor %}|{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}|{% for x in 'ab' %}{{ x }}.{% endfor %}|{% for k in {'z': 1} %}{{ k }}{% endfor %}
{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}|{{ range(2, 8, 3) | list }}|{{ range(3, 0, -1) | list }}
{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}|{% set ns = namespace(n=0, s='') %}{% for i in [1, 2] %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}|{% if true %}{% set y = 5 %}{% endif %}{{ y }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}|{% set t %}x{{ a }}y{% endset %}{{ t }}|{% set l = [1, 2] %}{% set p, q = l %}{{ q }}
{% macro f(a, b='z') %}<{{ a }}{{ b }}>{% endmacro %}{{ f(1) }}{{ f(1, 2) }}{{ f(a=3, b=4) }}{{ f() }}|{% macro g(n) %}{{ n }}{% if n > 0 %}{{ g(n - 1) }}{% endif %}{% endmacro %}{{ g(3) }}
{% if false %}a{% elif true %}b{% else %}c{% endif %}|{% if 0 %}a{% elif '' %}b{% else %}c{% endif %}
{% raw %}{{ x }} {% if %}{% endraw %}|{# gone #}|{{ '{{' }}|{{ "%}" }}
{{ dict(a=1).a }}|{{ (1, 2)[1] }}|{{ ((1)) }}|{{ [1, 2,] }}|{{ {} | length }}|{{ {'a': {'b': 1}}['a']['b'] }}
{{ 'a\tb\\n\'' }}|{{ '\u00e9' }}|{{ strftime_now('%d %b %Y') }}|{% generation %}x{% endgeneration %}
{{ messages[0]['content'] | trim + 'x' }}|{{ 'a' + 'b' | upper }}|{{ ('a' + 'b') | upper }}|{{ -2 | abs }}|{{ 'x' if messages | length > 100 else 'y' }}|{{ not 1 == 2 }}
{{ 'é😀' | length }}|{{ 'é😀'[1] }}|{{ 'é😀'[::-1] }}|{{ 'ß'.upper() }}|{{ '\u00a0x\u00a0'.strip() }}
""".strip().split("\n")

BLANKS = [
    "a\n  {% if true %}\n  b\n  {% endif %}\nc\n",
    "a\n  {%- if true -%}\n  b\n  {%- endif -%}\nc\n",
    "a {% if true %} b {% endif %} c",
    "{% if true %}\n\nb\n{% endif %}\n",
    "  {% if true %}x{% endif %}\n  {{ 'y' }}\n",
    "  {%+ if true %}x{% endif %}\n",
    "a\n{# c #}\nb\n\n",
    "a\n  {#- c -#}  \nb",
    "{{ 'a' -}}\n\n {{- 'b' }}\n\n",
    "{% for x in [1, 2] %}\n  {{ x }}\n{% endfor %}\n",
    "{% for x in [1, 2] -%}\n  {{ x }}\n{%- endfor %}\n",
    "x\r\ny{% if true %}\r\nz{% endif %}\r\n",
    "a\n\t{% set x = 1 %}\n{{ x }}",
    "{% if true +%}\nb{% endif %}",
    "b {%- raw -%} {{ x }} {%- endraw -%} c",
    "a{% if true %}{% endif %}\n  {% if true %}\nb{% endif %}",
]

REFUSED = [
    "{{ 'a' + 1 }}", "{{ nothing.x }}", "{{ nothing + 'a' }}", "{{ messages[0].nothing.x }}", "{{ 1 // 0 }}", "{{ 1 % 0 }}", "{{ 1 / 0 }}",
    "{{ raise_exception('no') }}", "{{ nothing() }}", "{{ 'a'.nothing() }}", "{{ 1 | nothing }}", "{{ 1 is nothing }}", "{{ messages.append(1) }}",
    "{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}", "{{ ''.__class__.__mro__ }}", "{{ messages.__init__() }}", "{{ 'a' < 1 }}",
    "{% for x in 5 %}{% endfor %}", "{% if true %}", "{{ 1", "{% endif %}", "{{ (1 }}", "{% set a.b = 1 %}", "{{ 1 2 }}", "{% nothing %}",
    "{{ 'a }}", "{# x", "{{ range(10 ** 9) }}", "{{ f(1) }}", "{% set a, b = [1] %}", "{{ [1][::0] }}", "{{ 1 < 'a' }}",
]


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = lambda x, ensure_ascii=False, indent=None, separators=None, sort_keys=False: json.dumps(
        x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda format: __import__("datetime").datetime(2024, 7, 26, 9, 5, 3).strftime(format)
    return env


class Generation(jinja2.ext.Extension):
    """transformers' AssistantTracker (utils/chat_template_utils.py), which notes where its bodies stand."""
    tags = {"generation"}

    def __init__(self, environment):
        super().__init__(environment)
        environment.extend(written=[], spans=[])

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        text = caller()
        start = len("".join(self.environment.written))
        self.environment.spans.append((start, start + len(text)))
        return text


def render(template, **values):
    """The text and its generated parts."""
    env = environment()
    for block in env.from_string(template).generate(**values):
        env.written.append(block)
    return "".join(env.written), env.spans


def main():
    cases = []
    for name, template in {**PUBLISHED, **MARKED}.items():
        for messages in CONVERSATIONS:
            for answer in (False, True):
                cases.append((name, template, messages, answer))
    for kind, pieces in dict(piece=PIECES, blanks=BLANKS, refused=REFUSED).items():
        cases += [(kind, template, CONVERSATIONS[4], False) for template in pieces]
    written = []
    for name, template, messages, answer in cases:
        case = dict(name=name, template=template, messages=messages, answer=answer)
        try:
            case["text"], spans = render(template, messages=messages, add_generation_prompt=answer, **TOKENS)
            if name in MARKED:  # in UTF-16, as Java counts
                case["generated"] = [[len(case["text"][:i].encode("utf-16-le")) // 2 for i in span] for span in spans]
        except Exception as e:
            case["error"] = type(e).__name__ + ": " + str(e)
        if (name == "refused" and "error" not in case) or (name in ("piece", "blanks") and "error" in case):
            raise SystemExit(json.dumps(case))
        written.append(case)
    print("[\n" + ",\n".join(json.dumps(case) for case in written) + "\n]")


main()
