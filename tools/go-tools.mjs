// Programs that Muster builds from Go modules instead of downloading: built once, cached outside the
// clone under a name that says what went in. No npm dependency and nothing newer than Node 20 here:
// this runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import {
  chmod,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const controlPlane = join(root, 'e2e', 'controlplane');

/** The programs of the control-plane binary; each is a link beside it. */
export const controlPlanePrograms = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'kwok',
];

const STRIPPED = ['-ldflags', '-s -w'];

const recipes = {
  'control-plane': {
    dir: controlPlane,
    output: 'control-plane',
    what: 'Kubernetes, etcd and kwok, for local clusters',
    seconds: 320,
    args: () => ['-ldflags', `-s -w ${kubernetesVersionFlags()}`],
    links: controlPlanePrograms,
  },
  helm: {
    dir: join(root, 'e2e', 'helm'),
    output: 'helm',
    package: 'helm.sh/helm/v4/cmd/helm',
    what: 'the helm command, which the bench compares with',
    seconds: 180,
  },
  gitea: {
    dir: join(root, 'e2e', 'gitea'),
    output: 'gitea',
    package: 'code.gitea.io/gitea',
    what: 'the Gitea server, which webhooks and SCM generators are tested with',
    seconds: 200,
    args: () => [
      '-tags',
      'sqlite sqlite_unlock_notify',
      '-ldflags',
      `-s -w -X main.Version=${giteaVersion()}`,
    ],
    // SQLite is C: this one needs a C compiler.
    env: { CGO_ENABLED: '1' },
    beside: { module: 'code.gitea.io/gitea', folders: ['options', 'templates', 'public'] },
  },
  registry: {
    dir: join(root, 'e2e', 'registry'),
    output: 'registry',
    package: 'github.com/distribution/distribution/v3/cmd/registry',
    what: 'the registry of CNCF Distribution, which tests pull charts from',
    seconds: 120,
  },
  'argo-rollouts': {
    dir: join(root, 'e2e', 'controllers', 'argo-rollouts'),
    output: 'rollouts-controller',
    package: 'github.com/argoproj/argo-rollouts/cmd/rollouts-controller',
    what: 'the Argo Rollouts controller, whose health and actions are tested',
    seconds: 200,
    args: () => STRIPPED,
    beside: { module: 'github.com/argoproj/argo-rollouts', folders: ['manifests/crds'] },
  },
  'sealed-secrets': {
    dir: join(root, 'e2e', 'controllers', 'sealed-secrets'),
    output: 'sealed-secrets',
    package: ['.', 'github.com/bitnami/sealed-secrets/cmd/kubeseal'],
    what: 'the Sealed Secrets controller and kubeseal, whose health is tested',
    seconds: 110,
    args: () => STRIPPED,
    beside: { module: 'github.com/bitnami/sealed-secrets', folders: ['helm/sealed-secrets/crds'] },
  },
  flux: {
    dir: join(root, 'e2e', 'controllers', 'flux'),
    output: 'source-controller',
    package: ['github.com/fluxcd/source-controller', 'github.com/fluxcd/kustomize-controller'],
    what: 'source-controller and kustomize-controller of Flux, whose health is tested',
    seconds: 250,
    args: () => STRIPPED,
    beside: [
      { module: 'github.com/fluxcd/source-controller', folders: ['config/crd/bases'] },
      { module: 'github.com/fluxcd/kustomize-controller', folders: ['config/crd/bases'] },
    ],
  },
};

/**
 * The absolute path of a program; builds it when it is not cached. Its name is `control-plane`, one of its programs (`kubectl`,
 * `kwok`, …) or another recipe's; a recipe with several programs answers the first, the others are beside it.
 */
export async function ensureGoTool(name, { log, signal } = {}) {
  const owner = controlPlanePrograms.includes(name) ? 'control-plane' : name;
  const recipe = recipes[owner];
  if (!recipe) throw new Error(`there is no Go tool "${name}"; there are ${Object.keys(recipes).join(', ')}`);
  const built = await ensureGoBuild({ ...recipe, name: owner, args: recipe.args?.(), log, signal });
  return name === owner ? built : join(dirname(built), name);
}

/** Whether `ensureGoTool(name)` would answer at once, with the seconds that building takes on two cores. */
export function goToolState(name) {
  const owner = controlPlanePrograms.includes(name) ? 'control-plane' : name;
  const recipe = recipes[owner];
  const { target } = plan({ ...recipe, name: owner, args: recipe.args?.() });
  return { cached: existsSync(target), seconds: recipe.seconds, what: recipe.what };
}

/**
 * Builds one Go program into the cache and answers its absolute path; at once when it is there.
 * The cache key covers the module's files (or `inputs`), `args`, `env` and the version of Go.
 * Two runs do not build the same thing twice; an interrupted one leaves nothing that looks finished.
 * Options (see go-tools.d.mts): name, dir, output, package, args, env, inputs, what, seconds, links, log, signal.
 */
export async function ensureGoBuild(options) {
  const { target, folder, go } = plan(options);
  if (existsSync(target)) return target;
  const log = options.log ?? ((line) => process.stderr.write(`${line}\n`));
  await mkdir(dirname(folder), { recursive: true });
  const release = await lock(`${folder}.lock`, options.name, log, options.signal, () => existsSync(target));
  try {
    if (!existsSync(target)) await buildInto(folder, go, { ...options, log });
  } finally {
    await release();
  }
  return target;
}

/** Where built tools live: `$MUSTER_CACHE`, else `$XDG_CACHE_HOME`, else `~/.cache`; then `muster/tools`. */
export function toolsFolder(env = process.env) {
  const base = env.MUSTER_CACHE || env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return resolve(base, 'muster', 'tools');
}

function plan({
  name,
  dir,
  output = name,
  package: pkg = '.',
  args = [],
  env = {},
  inputs = [dir],
  links = [],
  beside,
}) {
  const go = goVersion(name, dir);
  const hash = createHash('sha256');
  const made = [go, output, pkg, args, Object.entries(env).sort(), links];
  hash.update(JSON.stringify(beside ? [...made, beside] : made));
  for (const file of inputs.flatMap((input) => filesIn(resolve(dir, input))).sort()) {
    hash.update(`\n${relative(dir, file).split(sep).join('/')}\n`).update(readFileSync(file));
  }
  const folder = join(toolsFolder(), `${name}-${hash.digest('hex').slice(0, 16)}`);
  return { go, folder, target: join(folder, output) };
}

function filesIn(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const inside = join(path, entry.name);
    if (entry.isDirectory())
      return ['node_modules', 'dist', 'testdata'].includes(entry.name) ? [] : filesIn(inside);
    return /(_test\.go|\.md)$/.test(entry.name) || entry.name.startsWith('.') ? [] : [inside];
  });
}

function goVersion(name, dir) {
  const answer = spawnSync('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH'], { cwd: dir, encoding: 'utf8' });
  if (answer.error?.code === 'ENOENT' && existsSync(dir)) {
    throw new Error(
      `Muster builds ${name} from source and did not find \`go\`. Install Go 1.26 or newer ` +
        '(https://go.dev/dl/, `brew install go`, or the golang package of your system), see that `go version` answers, and run this again.',
    );
  }
  if (answer.error) throw new Error(`\`go env\` did not run in ${dir}: ${answer.error.message}`);
  if (answer.status !== 0) throw new Error(`\`go env\` failed in ${dir}: ${answer.stderr.trim()}`);
  return answer.stdout.trim().split('\n').join(' ');
}

function giteaVersion() {
  return /code\.gitea\.io\/gitea v(\S+)/.exec(readFileSync(join(root, 'e2e', 'gitea', 'go.mod'), 'utf8'))[1];
}

function kubernetesVersionFlags() {
  const version = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)/.exec(
    readFileSync(join(controlPlane, 'go.mod'), 'utf8'),
  );
  const set = (field, value) => `-X k8s.io/component-base/version.${field}=${value}`;
  return [set('gitVersion', version[1]), set('gitMajor', version[2]), set('gitMinor', version[3])].join(' ');
}

async function buildInto(folder, go, options) {
  const {
    name,
    dir,
    output = name,
    package: pkg = '.',
    args = [],
    env = {},
    links = [],
    beside,
    log,
    signal,
  } = options;
  await removeLeftovers(folder);
  const temporary = `${folder}.tmp-${process.pid}-${randomBytes(3).toString('hex')}`;
  await mkdir(temporary);
  try {
    const expected = options.seconds ? `, about ${options.seconds} s on two cores` : '';
    log(
      `building ${name}${options.what ? ` (${options.what})` : ''} with ${go.split(' ')[0]}: once${expected}; kept in ${folder}`,
    );
    const started = Date.now();
    // A folder that exists gets each program under its package's name.
    const to = Array.isArray(pkg) ? temporary : join(temporary, output);
    const flags = ['build', '-v', '-trimpath', ...args, '-o', to, ...[pkg].flat()];
    await runGo(flags, {
      name,
      cwd: dir,
      env: { CGO_ENABLED: '0', ...env },
      seconds: options.seconds,
      log,
      signal,
    });
    for (const link of links) await symlink(output, join(temporary, link));
    for (const part of [beside ?? []].flat()) await copyFromModule(part, dir, temporary);
    await rename(temporary, folder);
    log(`built ${name} in ${secondsSince(started)} s`);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Copies folders of a module that a program reads at run time; the module's own are read-only. */
async function copyFromModule({ module, folders }, dir, target) {
  const answer = spawnSync('go', ['list', '-m', '-f', '{{.Dir}}', module], { cwd: dir, encoding: 'utf8' });
  if (answer.status !== 0)
    throw new Error(`\`go list -m ${module}\` failed in ${dir}: ${answer.stderr.trim()}`);
  for (const folder of folders) {
    await cp(join(answer.stdout.trim(), folder), join(target, folder), {
      recursive: true,
      mode: constants.COPYFILE_FICLONE,
    });
  }
  await makeWritable(target);
}

/** So that whoever removes the cache may. */
async function makeWritable(folder) {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
}

/** Removes what an interrupted build of the same thing left; called under its lock. */
async function removeLeftovers(folder) {
  const prefix = `${basename(folder)}.tmp-`;
  for (const entry of await readdir(dirname(folder))) {
    if (entry.startsWith(prefix)) await rm(join(dirname(folder), entry), { recursive: true, force: true });
  }
}

function runGo(flags, { name, cwd, env, seconds, log, signal }) {
  return new Promise((done, fail) => {
    const started = Date.now();
    const child = spawn('go', flags, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      signal,
    });
    let errors = [];
    let downloaded = 0;
    let compiled = 0;
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith('go: downloading')) downloaded++;
        else if (/^[\w.-]+(\/[\w.~+-]+)*$/.test(line)) compiled++;
        else errors = [...errors.slice(-30), line];
      }
    });
    const progress = setInterval(() => {
      const of = seconds ? ` of about ${seconds}` : '';
      const modules = downloaded ? `, ${downloaded} modules downloaded` : '';
      log(`building ${name}: ${secondsSince(started)}${of} s${modules}, ${compiled} packages compiled`);
    }, 10_000);
    child.on('error', (error) => {
      clearInterval(progress);
      fail(error);
    });
    child.on('close', (status, by) => {
      clearInterval(progress);
      if (status === 0) return done();
      const said = [...errors, rest].filter(Boolean).join('\n');
      fail(
        new Error(
          `building ${name} failed (\`go ${flags.join(' ')}\` in ${cwd}, ${by ?? `exit ${status}`}):\n${said}`,
        ),
      );
    });
  });
}

const secondsSince = (started) => Math.round((Date.now() - started) / 1000);

const heartbeat = 5_000;

/**
 * Takes the lock file, waiting while a live holder has it, and answers the function that gives it back. A holder touches the
 * file; one that is gone or silent is stale. Should two recover it at once both build, and the rename still leaves one result.
 */
async function lock(path, name, log, signal, finished) {
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), id: randomBytes(6).toString('hex') });
  let said = false;
  while (!(await createExclusively(path, mine))) {
    signal?.throwIfAborted();
    if (finished()) return async () => {};
    if (await isStale(path)) {
      await rm(path, { force: true });
      continue;
    }
    if (!said) log(`another run is building ${name}; waiting for it`);
    said = true;
    await sleep(500, undefined, { signal });
  }
  const beat = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), heartbeat);
  beat.unref();
  return async () => {
    clearInterval(beat);
    if ((await readFile(path, 'utf8').catch(() => '')) === mine) await rm(path, { force: true });
  };
}

async function createExclusively(path, text) {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(path) {
  try {
    const age = Date.now() - (await stat(path)).mtimeMs;
    if (age > 6 * heartbeat) return true;
    const holder = JSON.parse(await readFile(path, 'utf8'));
    return holder.host === hostname() && !isAlive(holder.pid);
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    if (error instanceof SyntaxError) return false; // being written; its age decides
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

// `node tools/go-tools.mjs NAME…` builds by hand and prints the paths.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    for (const name of process.argv.slice(2)) console.log(await ensureGoTool(name));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
