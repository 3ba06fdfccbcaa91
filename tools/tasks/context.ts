import { spawn } from 'node:child_process';
import type { SpawnOptions } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of this checkout. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A program of node_modules/.bin. */
export function bin(name: string): string {
  return join(root, 'node_modules', '.bin', name);
}

/** Runs a program with its output shown; answers its exit code (127 when it cannot be started). */
export function run(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    child.on('error', (e) => {
      console.error(`${command}: ${e.message}`);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

/** Runs a program quietly; its output comes back with its exit code. */
export function capture(command: string, args: readonly string[], options: SpawnOptions = {}) {
  return new Promise<{ code: number; output: string }>((resolve) => {
    const child = spawn(command, args, { cwd: root, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout?.on('data', (d) => (output += d));
    child.stderr?.on('data', (d) => (output += d));
    child.on('error', (e) => resolve({ code: 127, output: e.message }));
    child.on('exit', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** `1 min 12 s`. */
export function took(sinceMs: number): string {
  const s = Math.round((Date.now() - sinceMs) / 1000);
  return s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
}
