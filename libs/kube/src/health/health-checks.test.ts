import { afterAll, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import { MASK } from '../redact.ts';
import { HealthChecks } from './health-checks.ts';

const checks = new HealthChecks({ timeoutMs: 3000 });
afterAll(() => checks.close());

const widget = (size: number): KubeObject => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name: 'w' },
  spec: { size },
});
const script = (text: string) => new Map([['example.org/Widget', { 'health.lua': text }]]);

it('judges by scripts and by expressions, and says which kinds changed', async () => {
  const lua =
    'if obj.spec.size > 1 then return {status = "Degraded", message = "too big"} end return {status = "Healthy"}';
  expect(checks.use(script(lua))).toEqual(new Set(['example.org/Widget']));
  expect(checks.use(script(lua))).toEqual(new Set());
  expect(checks.has(widget(1))).toBe(true);
  expect(await checks.assess(widget(1))).toEqual({ status: 'Healthy', message: '' });
  expect(await checks.assess(widget(2))).toEqual({ status: 'Degraded', message: 'too big' });
  checks.use(new Map([['example.org/Widget', { 'health.cel': { current: 'spec.size == 2' } }]]));
  expect(await checks.assess(widget(2))).toMatchObject({ status: 'Healthy' });
  expect(await checks.assess(widget(1))).toMatchObject({ status: 'Progressing' });
});

it('outlives a script that never ends or eats all memory', async () => {
  checks.use(script('while true do end'));
  expect(await checks.assess(widget(1))).toMatchObject({ status: 'Unknown' });
  checks.use(script('local s = "x" while true do s = s .. s end'));
  expect(await checks.assess(widget(1))).toMatchObject({ status: 'Unknown' });
  checks.use(script('return {status = "Healthy"}'));
  expect(await checks.assess(widget(1))).toMatchObject({ status: 'Healthy' });
});

it('shows the keys of a Secret to a check, not its values', async () => {
  checks.use(
    new Map([['Secret', { 'health.lua': 'return {status = "Healthy", message = obj.data.password}' }]]),
  );
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data: { password: 'aHVudGVy' },
  };
  expect(await checks.assess(secret)).toEqual({ status: 'Healthy', message: MASK });
});
