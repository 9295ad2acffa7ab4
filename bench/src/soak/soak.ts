/**
 * Plays the scenes one after the other with each contestant, writes and prints what came out.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { provide } from '../install.ts';
import { collectVersions, describeMachine, requireCores } from '../machine.ts';
import { RESULTS_FOLDER } from '../places.ts';
import type { RunContext } from '../run-context.ts';
import { Stage } from '../stage.ts';
import { CONTESTANTS, type Contestant } from './contestants.ts';
import { Disturbance } from './disturbance.ts';
import { Lab } from './lab.ts';
import type { Scene } from './scene.ts';
import { SCENES } from './scenes/all-scenes.ts';
import { parseSoakOptions, type SoakOptions, soakHelp } from './soak-options.ts';
import { soakMarkdown, soakText } from './soak-report.ts';
import { brokenPromises, isGood, type Performance, type SceneResult, type SoakResult } from './soak-result.ts';

type Missing = Awaited<ReturnType<typeof provide>>;

/** Never fails but by an abort: what went wrong is part of the result. */
async function perform(stage: Stage, scene: Scene, contestant: Contestant, options: SoakOptions): Promise<Performance> {
  const { name, title } = contestant;
  const startedAt = performance.now();
  const seconds = (): number => Math.round((performance.now() - startedAt) / 100) / 10;
  const disturbance = new Disturbance(stage.cores);
  const lab = new Lab(stage, contestant, options);
  try {
    const figures = await scene.play(lab);
    const foreignShare = disturbance.foreignShare();
    const broken = name === 'cirque' ? brokenPromises(figures, foreignShare) : [];
    return { contestant: name, title, seconds: seconds(), foreignShare, figures, broken };
  } catch (error) {
    stage.signal.throwIfAborted();
    const failed = error instanceof Error ? error.message : String(error);
    return { contestant: name, title, seconds: seconds(), foreignShare: 0, figures: [], broken: [], failed };
  } finally {
    await lab.close();
  }
}

async function playAll(stage: Stage, options: SoakOptions, missing: Missing, run: RunContext): Promise<SceneResult[]> {
  const results: SceneResult[] = [];
  for (const scene of SCENES.filter(({ name }) => options.scenes.includes(name))) {
    const performances: Performance[] = [];
    for (const contestant of CONTESTANTS.filter(({ name }) => options.contestants.includes(name))) {
      const { name, title, needs } = contestant;
      const skipped = missing.get(needs);
      const done =
        skipped === undefined
          ? await perform(stage, scene, contestant, options)
          : { contestant: name, title, seconds: 0, foreignShare: 0, figures: [], broken: [], skipped };
      performances.push(done);
      run.say(`${scene.name}: ${name} ${done.skipped ?? done.failed ?? `done in ${done.seconds} s`}`);
    }
    results.push({ scene: scene.name, title: scene.title, performances });
  }
  return results;
}

function write(result: SoakResult): string {
  const date = result.startedAt.slice(0, 19).replace('T', '-').replaceAll(':', '');
  const file = result.options.out ?? join(RESULTS_FOLDER, `soak-${date}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`);
  writeFileSync(`${file.replace(/\.json$/, '')}.md`, soakMarkdown(result));
  return file;
}

/** Answers the exit code: 1 when a scene could not be played or a promise is not kept. */
export async function soak(argv: readonly string[], run: RunContext): Promise<number> {
  const scenes = SCENES.map(({ name }) => name);
  const contestants = CONTESTANTS.map(({ name }) => name);
  const options = parseSoakOptions(argv, scenes, contestants);
  if (options === 'help') {
    run.print(`${soakHelp(scenes, contestants)}\n`);
    return 0;
  }
  const cores = requireCores();
  const needs = CONTESTANTS.filter(({ name }) => options.contestants.includes(name)).map((one) => one.needs);
  const missing = await provide(run, new Set(needs));
  const reason = missing.get('nginx');
  if (reason !== undefined) throw new Error(`nginx plays the origin: ${reason}`);
  const startedAt = new Date().toISOString();
  const machine = describeMachine();
  const stage = await Stage.open(cores, run.signal);
  try {
    const played = await playAll(stage, options, missing, run);
    const versions = collectVersions();
    const result: SoakResult = { format: 'cirque-soak-1', startedAt, machine, versions, options, scenes: played };
    run.print(`\n${soakText(result)}\nwritten: ${write(result)}\n`);
    return isGood(result) ? 0 : 1;
  } finally {
    await stage.close();
  }
}
