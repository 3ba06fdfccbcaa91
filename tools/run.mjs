#!/usr/bin/env node
// The one entry of every `npm run` here. It runs on whatever Node the machine has (20.11 or newer), brings the
// packages of package-lock.json into node_modules, then goes on under the Node that the project pins (from npm).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [task, ...args] = process.argv.slice(2);
const tasks = ['demo', 'test', 'check', 'bench', 'simulate', 'build', 'format', 'generate', 'muster'];

if (!tasks.includes(task)) {
  console.error(`usage: node tools/run.mjs <${tasks.join('|')}> [arguments]`);
  process.exit(2);
}
await installPackages();
linkWorkspaces();
await goOn(findNode());

/**
 * Brings the versions of package-lock.json into node_modules, when they are not there. `npm ci` would be stricter, and
 * refuses where a registry lacks one platform's optional package of another platform; `--no-save` keeps the lock file as it is.
 */
async function installPackages() {
  if (packagesInPlace()) return;
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  console.error(
    'Installing npm packages (first time or a new package-lock.json; about a minute with a cold cache) …',
  );
  const timer = setInterval(() => console.error(`  … still installing npm packages, ${seconds()} s`), 10_000);
  const npm = spawn(
    'npm',
    [
      'install',
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '--loglevel=error',
    ],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
      shell: process.platform === 'win32',
    },
  );
  let problems = '';
  npm.stderr.on('data', (data) => (problems += data));
  const code = await new Promise((resolve) => {
    npm.on('error', () => resolve(127));
    npm.on('exit', resolve);
  });
  clearInterval(timer);
  if (code !== 0) {
    console.error(problems.slice(-4000));
    console.error(
      `npm install ended with ${code}. It needs npm 10 or newer and a registry that has the packages of package-lock.json.`,
    );
    process.exit(1);
  }
  console.error(`  npm packages are in place after ${seconds()} s.`);
}

/** Whether npm's own record of what it installed has every package of the lock file that is meant for this platform. */
function packagesInPlace() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const has = JSON.parse(readFileSync(installed, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, link, optional }]) =>
      !path.includes('node_modules/') || link || has[path]?.version === version || (optional && !has[path]),
  );
}

/** Links the packages of this repository that came with a newer commit: for them alone nothing has to be installed. */
function linkWorkspaces() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const [path, { link, resolved }] of Object.entries(packages)) {
    const at = join(root, path);
    if (!link || existsSync(at)) continue;
    mkdirSync(dirname(at), { recursive: true });
    const target = join(root, resolved);
    if (process.platform === 'win32') symlinkSync(target, at, 'junction');
    else symlinkSync(relative(dirname(at), target), at);
  }
}

/** The pinned Node from node_modules, else this one where it is new enough. */
function findNode() {
  const pinned = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(pinned) && spawnSync(pinned, ['-v']).status === 0) return pinned;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 11)) return process.execPath;
  console.error(
    `This machine (${process.platform} ${process.arch}) has no pinned Node in the npm packages, and its own is ${process.versions.node}: install Node 24.11 or newer.`,
  );
  process.exit(1);
}

function goOn(node) {
  const script = join(root, 'tools', 'tasks', `${task}.ts`);
  const path = `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`;
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', script, ...args], {
    cwd: task === 'muster' ? process.cwd() : root,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  // The terminal sends Ctrl-C to both; the child decides when it is done.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  }
  return new Promise(() => {
    child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
  });
}
