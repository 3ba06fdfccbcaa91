import { describe, expect, it } from 'vitest';
import { healthCustomizations } from './customizations.ts';
import { runHealthScript } from './lua.ts';
import { fromLua51, luaNumber } from './lua51.ts';

const object = { apiVersion: 'acme.io/v1', kind: 'Widget', metadata: { name: 'w' }, spec: { ratio: 0.1 } };
const run = (script: string) => runHealthScript(script, object, { now: () => 0, openLibs: true });
const print = (expression: string) =>
  run(`return {status = "Healthy", message = tostring(${expression})}`)?.message;

describe('Lua 5.1 of the reference', () => {
  it.each([
    ['0.1 + 0.2', '0.30000000000000004'],
    ['100 / 3', '33.333333333333336'],
    ['4 / 2', '2'],
    ['2 ^ 53', '9007199254740992'],
    ['60 * 60 * 24 * 365 * 100', '3153600000'],
    ['1e20', '1e+20'],
    ['1 / 0', '+Inf'],
    ['5 % 0', 'NaN'],
    ['1e-5', '1e-05'],
    ['0x10', '16'],
    ['obj.spec.ratio .. "x"', '0.1x'],
    ['"a\\x41"', 'ax41'],
    ['_VERSION', 'Lua 5.1'],
    ['tonumber("1e3")', 'nil'],
    ['tonumber("0x1F")', '31'],
    ['table.pack or math.type or string.pack', 'nil'],
    ['string.format("%d of %s", 3.7, 1.5)', '3 of 1.5'],
    ['string.rep("a", 2, "-")', 'aa'],
    ['os.date("!*t", 86400).day', '2'],
    ['os.date("%A %B %p %X", 0)', 'Thursday January AM 00:00:00'],
    ['os.date("%c", 0)', '01 Jan 70 00:00 UTC'],
    ['loadstring("return 2")()', '2'],
    ['select(2, pcall(error, "why", 0))', 'why'],
  ])('%s is %s', (expression, expected) => expect(print(expression)).toBe(expected));

  it.each([
    'return 7 // 2',
    'return 1 << 2',
    'return 5 & 3',
    'return ~5',
    'return load("return 1")',
    'return require("string")',
  ])('does not know: %s', (script) => expect(run(script)).toMatchObject({ status: 'Unknown' }));

  it.each([
    'return {status = "Healthy", "item"}',
    'return {[true] = 1}',
    'return {[1.5] = "x"}',
    'return {status = "Healthy", check = print}',
  ])('cannot say: %s', (script) => expect(run(script)).toMatchObject({ status: 'Unknown' }));

  it('leaves texts, comments and lines as they are', () => {
    const source = 'local a = "1 // 2" -- 3 & 4\n--[[ 5\n]] local b = [[6 ~ 7]]\nreturn a ~= b';
    expect(fromLua51(source)).toBe(source);
    expect(fromLua51('t[1] = 2.5 .. x1')).toBe('t[1.0] = 2.5 .. x1');
  });

  it('prints numbers as Go does', () => {
    expect([3, -2, 0.5, 1234567.5, 2 ** 63, 1e21].map(luaNumber)).toEqual([
      '3',
      '-2',
      '0.5',
      '1.2345675e+06',
      '9.223372036854776e+18',
      '1e+21',
    ]);
  });
});

describe('keys of checks', () => {
  const script = 'return {status = "Healthy", message = "mine"}';
  it.each(['acme.io/*', 'acme.io/Widg?t', '[ab]cme.io/Widget', '{acme.io,x}/Widget', '*'])('%s', (key) => {
    const { customization } = healthCustomizations({ [key]: { 'health.lua': script } }, { now: () => 0 });
    expect(customization!(object)?.(object)?.message).toBe('mine');
  });
});
