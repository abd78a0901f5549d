#!/usr/bin/env node
// Builds @tensorflow/tfjs-node's binding where its own download host cannot be reached: `npm run tensorflow:native`.
//
// Its install script fetches a prebuilt libtensorflow. The same library ships inside the Python wheel of
// tensorflow-cpu, which a package index serves: this script takes it from there (pinned by hash), lays it out as
// tfjs-node expects it, and compiles the small C++ binding against it. TensorFlow 2.15's C API answers under 2.9's
// file name. Needs Linux x86-64, python3 with pip, make and g++. Some 590 MB stay in the cache, outside the tree.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const TFJS_NODE = '4.22.0';
const WHEEL = { version: '2.15.1', sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26' };

const root = fileURLToPath(new URL('../..', import.meta.url));
const binding = path.join(root, 'node_modules/@tensorflow/tfjs-node');

const UNPACK = `
import glob, os, sys, zipfile
directory = sys.argv[1]
[wheel] = glob.glob(directory + '/*.whl')
kept = ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2',
        'tensorflow/include/tensorflow/c/', 'tensorflow/include/tensorflow/core/platform/',
        'tensorflow/include/tsl/platform/', 'tensorflow/include/tsl/c/')
notices = ('METADATA', 'LICENSE', 'THIRD_PARTY_NOTICES.txt')
with zipfile.ZipFile(wheel) as archive:
    names = [name for name in archive.namelist() if name.startswith(kept) or name.endswith(notices)]
    archive.extractall(directory, names)
os.unlink(wheel)
`;

try {
  requireLinuxX64();
  const library = libraryFromWheel();
  installPackageWithoutItsScript();
  linkLibrary(library);
  compileBinding();
  proveIt();
} catch (error) {
  process.stderr.write(`tensorflow:native failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.stderr.write('Millrace works without it, on the WebAssembly backend.\n');
  process.exitCode = 1;
}

function requireLinuxX64() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`the wheel used here holds a library for linux-x64 only; this is ${process.platform}-${process.arch}.`);
  }
}

/** The directory `tensorflow/` of the wheel, of which only the two libraries and the C headers are kept. */
function libraryFromWheel() {
  const place = path.join(cacheRoot(), `libtensorflow-${WHEEL.version}`);
  if (existsSync(place)) return path.join(place, 'tensorflow');
  mkdirSync(cacheRoot(), { recursive: true });
  const draft = mkdtempSync(path.join(cacheRoot(), 'draft-'));
  try {
    const requirements = path.join(draft, 'requirements.txt');
    writeFileSync(requirements, `tensorflow-cpu==${WHEEL.version} --hash=sha256:${WHEEL.sha256}\n`);
    // The interpreter's own version does not matter: the wheel is unpacked, never imported.
    const target = ['--implementation', 'cp', '--python-version', '3.11', '--abi', 'cp311', '--platform', 'manylinux2014_x86_64'];
    run('python3', ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--require-hashes', ...target, '-d', draft, '-r', requirements]);
    run('python3', ['-c', UNPACK, draft]);
    renameSync(draft, place); // last, so that a killed download never looks like a finished one
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return path.join(place, 'tensorflow');
}

function installPackageWithoutItsScript() {
  if (existsSync(path.join(binding, 'package.json'))) return;
  run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', `@tensorflow/tfjs-node@${TFJS_NODE}`]);
}

function linkLibrary(tensorflow) {
  const deps = path.join(binding, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(path.join(deps, 'lib'), { recursive: true });
  symlinkSync(path.join(tensorflow, 'include'), path.join(deps, 'include'));
  const names = {
    // `.2.9.1` is the name whose presence keeps tfjs-node's install script from downloading.
    'libtensorflow_cc.so.2': ['libtensorflow.so', 'libtensorflow.so.2', 'libtensorflow.so.2.9.1', 'libtensorflow_cc.so.2'],
    'libtensorflow_framework.so.2': ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
  };
  for (const [library, links] of Object.entries(names)) {
    for (const link of links) symlinkSync(path.join(tensorflow, library), path.join(deps, 'lib', link));
  }
}

function compileBinding() {
  const builder = ['node_modules/.bin/node-pre-gyp', 'node_modules/@tensorflow/tfjs-node/node_modules/.bin/node-pre-gyp']
    .map((file) => path.join(root, file))
    .find((file) => existsSync(file));
  if (builder === undefined) throw new Error('node-pre-gyp is missing beside @tensorflow/tfjs-node.');
  // node-gyp would download Node's headers; where Node was installed with them it is pointed there instead.
  const nodeDirectory = path.resolve(process.execPath, '../..');
  const headers = existsSync(path.join(nodeDirectory, 'include/node/node.h')) ? { npm_config_nodedir: nodeDirectory } : {};
  run(builder, ['install', '--build-from-source'], { cwd: binding, env: { ...process.env, ...headers } });
}

function proveIt() {
  const program = `
    const tf = require('@tensorflow/tfjs-node');
    tf.ready().then(() => {
      const product = tf.matMul([[1, 2]], [[3], [4]]).dataSync()[0];
      if (tf.getBackend() !== 'tensorflow' || product !== 11) process.exit(1);
      console.log('tfjs-node ' + tf.version['tfjs-node'] + ' runs on libtensorflow ' + tf.backend().binding.TF_Version + '.');
    });`;
  run(process.execPath, ['-e', program], { env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' } });
}

function cacheRoot() {
  if (process.env.MILLRACE_CACHE) return path.resolve(process.env.MILLRACE_CACHE);
  return path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'millrace');
}

function run(command, args, options = {}) {
  process.stderr.write(`$ ${path.basename(command)} ${args.filter((arg) => !arg.includes('\n')).join(' ')}\n`);
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
}
