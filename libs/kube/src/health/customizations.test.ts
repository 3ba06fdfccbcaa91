import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import { assessHealth } from './assess.ts';
import { healthCustomizations } from './customizations.ts';
import { assessGeneral } from './general.ts';
import { runHealthScript } from './lua.ts';

const now = () => 0;
const widget = (fields: object = {}): KubeObject => ({
  apiVersion: 'acme.io/v1',
  kind: 'Widget',
  metadata: { name: 'w', generation: 2 },
  ...fields,
});
const lua = (script: string, object = widget(), openLibs = false) =>
  runHealthScript(script, object, { now, openLibs, maxInstructions: 100_000 });

describe('health scripts', () => {
  it('read the object and return status and message', () => {
    const object = widget({ spec: { replicas: 4, list: [1, null, 2] } });
    const script = 'return {status = "Healthy", message = obj.spec.replicas / 2 .. " of " .. #obj.spec.list}';
    expect(lua(script, object)).toEqual({ status: 'Healthy', message: '2 of 2' });
  });

  it.each([
    ['return nil', null],
    ['local x = 1', null],
    ['return {}', { status: '', message: '' }],
    ['return {status = "Healthy", message = 1}', { status: '', message: '' }],
    ['return {status = "Fine"}', { status: 'Unknown', message: 'Lua returned an invalid health status' }],
    ['return 1', { status: 'Unknown', message: 'expect table output from Lua script, not number' }],
    ['return obj.status.phase', { status: 'Unknown', message: expect.stringContaining('nil') }],
    ['return (', { status: 'Unknown', message: expect.stringContaining('syntax') as string }],
  ])('%s', (script, expected) => {
    if (script === 'return (') expect(lua(script)?.status).toBe('Unknown');
    else expect(lua(script)).toEqual(expected);
  });

  it('know Lua 5.1 and goto', () => {
    const script = `
      local n = 0
      for i = 1, 3 do if i == 2 then goto continue end n = n + 1 ::continue:: end
      local a, b = unpack({1, 2})
      return {status = "Healthy", message = n .. table.getn({1, 2}) .. a + b}`;
    expect(lua(script)?.message).toBe('223');
  });

  it('have string and math only with open libraries, os only by require, files never', () => {
    expect(lua('return string.upper("a")')?.status).toBe('Unknown');
    expect(lua('return {status = "Healthy", message = string.upper("a")}', widget(), true)?.message).toBe(
      'A',
    );
    const script = 'return {status = "Healthy", message = require("os").date("%Y-%m-%d")}';
    expect(lua(script)?.message).toBe('1970-01-01');
    for (const name of ['io', 'os', 'dofile', 'loadfile', 'package', 'debug', 'js', 'fengari']) {
      expect(lua(`return {status = "Healthy", message = type(${name})}`)?.message).toBe('nil');
    }
    expect(lua('return require("io")', widget(), true)?.status).toBe('Unknown');
  });

  it.each([
    'while true do end',
    'while true do pcall(function() while true do end end) end',
    'local function f() return 1 + f() end return f()',
    'return string.rep("x", 1e9)',
    'coroutine.wrap(function() while true do end end)()',
  ])('end: %s', (script) => {
    expect(lua(script, widget(), true)?.status).toBe('Unknown');
  });
});

describe('settings', () => {
  const assess = (settings: object, object = widget()) =>
    assessHealth(object, healthCustomizations(settings as never, { now }));
  const says = (status: string) => ({ 'health.lua': `return {status = "${status}"}` });
  const map: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } };

  it('match the exact key first, then a wildcard; core kinds have no slash', () => {
    expect(assess({ 'acme.io/*': says('Degraded'), 'acme.io/Widget': says('Healthy') })?.status).toBe(
      'Healthy',
    );
    expect(assess({ '*.io/Wid*': says('Degraded') })?.status).toBe('Degraded');
    expect(assess({ '*/*': says('Degraded') }, map)).toBeNull();
    expect(assess({ '*': says('Degraded') }, map)?.status).toBe('Degraded');
    expect(assess({ '*': says('Degraded') })?.status).toBe('Degraded');
    expect(assess({ ConfigMap: says('Suspended') }, map)?.status).toBe('Suspended');
  });

  it('hand over to the checks in code, never to the catalogue, when a script returns nil', () => {
    const nil = { 'health.lua': 'return nil' };
    const service: KubeObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } };
    expect(assess({ Service: nil }, service)?.status).toBe('Healthy');
    const cronJob: KubeObject = {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'c' },
      spec: {},
    };
    expect(assessHealth(cronJob)?.status).toBe('Progressing');
    expect(assess({ 'batch/CronJob': nil }, cronJob)).toBeNull();
  });

  it('do not see an object on its way out', () => {
    const going = widget({ metadata: { name: 'w', deletionTimestamp: '2026-01-01T00:00:00Z' } });
    expect(assess({ '*': says('Degraded') }, going)).toEqual({
      status: 'Progressing',
      message: 'Pending deletion',
    });
  });

  it('take CEL', () => {
    const checks = {
      'health.cel': {
        failed: 'status.phase == "Failed"',
        current: 'status.ready == self.spec.replicas && status.ready > 1',
        message: '"phase " + self.status.phase',
      },
    };
    const at = (phase: string, ready: number) =>
      assess({ 'acme.io/Widget': checks }, widget({ spec: { replicas: 3 }, status: { phase, ready } }));
    expect(at('Failed', 0)).toEqual({ status: 'Degraded', message: 'phase Failed' });
    expect(at('Run', 3)).toEqual({ status: 'Healthy', message: 'phase Run' });
    expect(at('Run', 2)).toEqual({ status: 'Progressing', message: 'phase Run' });
    expect(assess({ 'acme.io/Widget': checks })?.status).toBe('Unknown');
    expect(() => assess({ 'acme.io/Widget': { 'health.cel': { current: 'a ==' } } })).toThrow(
      /acme|Unexpected|EOF/i,
    );
  });
});

describe('assessGeneral', () => {
  const at = (...conditions: object[]) =>
    assessGeneral(widget({ status: { observedGeneration: 2, conditions } })).status;
  it('follows the conventions of controllers', () => {
    expect(assessGeneral(widget()).status).toBe('Healthy');
    expect(assessGeneral(widget({ status: { observedGeneration: 1 } })).status).toBe('Progressing');
    expect(at({ type: 'Ready', status: 'True' })).toBe('Healthy');
    expect(at({ type: 'Ready', status: 'False' })).toBe('Progressing');
    expect(at({ type: 'Ready', status: 'True', observedGeneration: 1 })).toBe('Progressing');
    expect(at({ type: 'Ready', status: 'True' }, { type: 'Reconciling', status: 'True' })).toBe(
      'Progressing',
    );
    expect(at({ type: 'Ready', status: 'False' }, { type: 'Stalled', status: 'True' })).toBe('Degraded');
  });
});
