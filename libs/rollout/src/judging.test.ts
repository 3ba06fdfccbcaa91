import { describe, expect, it } from 'vitest';
import { judgeHttp, judgePlaces, judgePrometheus } from './judging.ts';
import type { HttpCheck, PrometheusCheck } from './policy.ts';
import { policyOf } from './testing/policies.ts';
import { fillQuery } from './query-text.ts';

const gateOf = (gate: object) =>
  policyOf([{ name: 'a', gates: [{ name: 'g', ...gate }] }]).stages[0]!.gates[0]!;

describe('an answer over HTTP', () => {
  const judge = (more: object, status: number, body = '', cut = false) => {
    const check = gateOf({ http: { url: 'https://example.org/up?key=1', ...more } }) as unknown as HttpCheck;
    const { verdict, detail } = judgeHttp(check, { status, body, cut });
    return `${verdict}: ${detail}`;
  };

  it.each([
    [{}, 200, '', 'ok: it answered 200'],
    [{}, 204, '', 'bad: it answered 204, not 200'],
    [{ statuses: ['2xx', '401-403', 418] }, 402, '', 'ok: it answered 402'],
    [{ statuses: ['2xx', '401-403', 418] }, 302, '', 'bad: it answered 302, not 200-299 or 401-403 or 418'],
    [{ body: { matches: '^ready$' } }, 200, 'ready', 'ok: it answered 200'],
    [{ body: { matches: '^ready$' } }, 200, 'secret', 'bad: it answered 200, but its body does not match'],
    [
      { body: { json: '$.checks[1].ok', equals: true } },
      200,
      '{"checks":[{},{"ok":true}]}',
      'ok: it answered 200',
    ],
    [
      { body: { json: '$.checks[1].ok', equals: true } },
      200,
      '{"checks":[{"ok":true}]}',
      'bad: it answered 200, but its body has no $.checks[1].ok',
    ],
    [
      { body: { json: "$['a.b']", matches: '^1[.]' } },
      200,
      '{"a.b":"2.3"}',
      "bad: it answered 200, but $['a.b'] does not match",
    ],
    [{ body: { json: '$.x', equals: null } }, 200, '{"x":null}', 'ok: it answered 200'],
    [{ body: { json: '$.x', equals: 1 } }, 200, '{"x":"1"}', 'bad: it answered 200, but $.x is not 1'],
    [
      { body: { json: '$.__proto__', equals: 1 } },
      200,
      '{}',
      'bad: it answered 200, but its body has no $.__proto__',
    ],
    [{ body: { json: '$.x', equals: 1 } }, 200, '<html>', 'bad: it answered 200, but its body is no JSON'],
  ])('is judged by %j: %i %s', (more, status, body, expected) => {
    expect(judge(more, status, body)).toBe(expected);
  });

  it('that was cut short is not read as JSON', () => {
    expect(judge({ body: { json: '$.x', equals: 1 } }, 200, '{"x":1}', true)).toContain('too long');
  });
});

describe('an answer of Prometheus', () => {
  const judge = (more: object, data: unknown) => {
    const check = gateOf({ prometheus: { query: 'q', ...more } }) as unknown as PrometheusCheck;
    const { verdict, detail } = judgePrometheus(check, { status: 'success', data });
    return `${verdict}: ${detail}`;
  };
  const vector = (...values: string[]) => ({
    resultType: 'vector',
    result: values.map((value, i) => ({ metric: { __name__: 'x', pod: `p${i}` }, value: [0, value] })),
  });

  it.each([
    [{ condition: '< 0.01' }, vector('0.002'), 'ok: 0.002{pod="p0"}'],
    [{ condition: '< 0.01' }, vector('0.002', '0.5'), 'bad: 0.5{pod="p1"} (1 of 2), not < 0.01'],
    [{ min: 1, max: 3 }, vector('1', '3'), 'ok: 1{pod="p0"}, 3{pod="p1"}'],
    [{ min: 1, max: 3 }, vector('0.9'), 'bad: 0.9{pod="p0"}, not >= 1 and <= 3'],
    [{ condition: '== 2' }, { resultType: 'scalar', result: [0, '2'] }, 'ok: 2'],
    [{ max: 1 }, vector('+Inf'), 'bad: Infinity{pod="p0"}, not <= 1'],
    [{ max: 1 }, vector(), 'unknown: the query answers no data'],
    [{ max: 1, noData: 'ok' }, vector(), 'ok: the query answers no data'],
    [{ max: 1, noData: 'bad' }, vector('NaN'), 'bad: the query answers NaN'],
    [
      { max: 1 },
      { resultType: 'matrix', result: [] },
      'unknown: the query answers neither a number nor a vector of them',
    ],
    [{ max: 1 }, undefined, 'unknown: the query answers neither a number nor a vector of them'],
  ])('is judged by %j', (more, data, expected) => {
    expect(judge(more, data)).toBe(expected);
  });

  it('that is a refusal, or none at all, is unknown', () => {
    const check = { conditions: [], noData: 'ok' as const };
    expect(judgePrometheus(check, { status: 'error', error: 'parse error' })).toEqual({
      verdict: 'unknown',
      detail: 'Prometheus refused the query: parse error',
    });
    for (const none of [null, 1, {}, { status: 'success', data: { resultType: 'vector', result: 'x' } }])
      expect(judgePrometheus(check, none).verdict).toBe('unknown');
  });
});

it('several places are bad where one is, and unknown where nobody knows of one', () => {
  const place = (name: string, verdict: 'ok' | 'bad' | 'unknown') => ({
    place: name,
    verdict,
    detail: verdict,
  });
  expect(judgePlaces([place('a', 'ok'), place('b', 'unknown'), place('c', 'bad')])).toEqual({
    verdict: 'bad',
    detail: 'c: bad',
  });
  expect(judgePlaces([place('a', 'ok'), place('b', 'unknown')]).verdict).toBe('unknown');
  expect(judgePlaces(['a', 'b', 'c', 'd'].map((name) => place(name, 'ok')))).toEqual({
    verdict: 'ok',
    detail: 'a: ok; b: ok; c: ok; and 1 more',
  });
  expect(judgePlaces([]).verdict).toBe('unknown');
});

it('a query is filled in for a target, and what is filled in cannot end its quotes', () => {
  const place = {
    cluster: { name: 'eu"} or up{a="', labels: { 'topology.example.org/region': 'eu' } },
    application: { namespace: 'argocd', name: 'web' },
  };
  const query =
    'up{c="{{cluster.name}}",r="{{ cluster.labels.topology.example.org/region }}",n="{{cluster.labels.none}}",a="{{application.namespace}}/{{application.name}}"}';
  expect(fillQuery(query, place)).toBe('up{c="eu} or up{a=",r="eu",n="",a="argocd/web"}');
});
