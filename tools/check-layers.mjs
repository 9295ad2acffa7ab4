/**
 * Checks that packages only use what tools/layers.json allows, in their manifests and in the imports of their sources,
 * and that sources import nothing their manifest does not declare as a dependency. Fails with the sentence that says why.
 *
 *   node tools/check-layers.mjs [root]      (another root is for the tests of this file)
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const scope = '@cirque/';
const devOnly = 'testing';
const importPattern =
  /(?:^|[;\n}])\s*(?:import|export)\s+(?:type\s+)?(?:[\w*${}\s,]+?\sfrom\s*)?['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]|\brequire\s*\(\s*['"]([^'"]+)['"]/g;

const root = resolve(process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url))));
const layers = JSON.parse(readFileSync(join(root, 'tools/layers.json'), 'utf8')).packages;
const problems = [];

/** `@cirque/http/x` -> `@cirque/http`, `pino/file` -> `pino`. */
function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** What a file imports. Comments are cut away first, so that an example in a docstring is not an import. */
function importsOf(file) {
  const source = readFileSync(file, 'utf8')
    .replace(/^\s*\/\*[\s\S]*?\*\//gm, '')
    .replace(/^\s*\/\/.*$/gm, '');
  return Array.from(source.matchAll(importPattern), (match) => match[1] ?? match[2] ?? match[3]);
}

function sourcesOf(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((file) => /\.[cm]?[jt]s$/.test(file));
}

/** Tests may also stand on what `tests` names: packages that users combine with this one. */
function checkInternal(name, target, where, isTest = false) {
  const { allow, tests = [], why } = layers[name];
  if (allow.includes(target) || target === name || (isTest && tests.includes(target))) return;
  problems.push(`${where}: ${scope}${name} may not use ${scope}${target}: ${why}.`);
}

function checkManifest(name, manifest, where) {
  for (const field of ['dependencies', 'peerDependencies', 'optionalDependencies']) {
    for (const dependency of Object.keys(manifest[field] ?? {})) {
      if (dependency.startsWith(scope)) checkInternal(name, dependency.slice(scope.length), `${where} (${field})`);
    }
  }
  for (const dependency of Object.keys(manifest.devDependencies ?? {})) {
    const target = dependency.slice(scope.length);
    if (dependency.startsWith(scope) && target !== devOnly)
      checkInternal(name, target, `${where} (devDependencies)`, true);
  }
}

function checkImport(name, manifest, specifier, where, isTest) {
  if (specifier.startsWith('.') || isBuiltin(specifier)) return;
  const target = packageOf(specifier);
  if (target.startsWith(scope) && !(isTest && target === scope + devOnly)) {
    checkInternal(name, target.slice(scope.length), where, isTest);
  }
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
  if (isTest) Object.assign(declared, manifest.devDependencies);
  if (target !== manifest.name && declared[target] === undefined) {
    problems.push(`${where}: imports ${target}, which is no ${isTest ? '' : 'run-time '}dependency in package.json.`);
  }
}

function checkPackage(name) {
  const folder = join(root, 'packages', name);
  const manifestPath = join(folder, 'package.json');
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
  if (layers[name] === undefined) {
    problems.push(`packages/${name}: is not in tools/layers.json; give it an allow list and a sentence why.`);
    return 0;
  }
  checkManifest(name, manifest, relative(root, manifestPath));
  const sources = [...sourcesOf(join(folder, 'src')), ...sourcesOf(join(folder, 'test'))];
  for (const file of sources) {
    const isTest = /\.test\.ts$/.test(file) || file.startsWith(join(folder, 'test'));
    for (const specifier of importsOf(file)) checkImport(name, manifest, specifier, relative(root, file), isTest);
  }
  return sources.length;
}

let files = 0;
const names = readdirSync(join(root, 'packages')).filter((name) =>
  existsSync(join(root, 'packages', name, 'package.json')),
);
for (const name of names) files += checkPackage(name);
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exit(1);
process.stdout.write(`${names.length} packages, ${files} files: every import points down.\n`);
