import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseConfiguration } from '@cirque/core';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

const read = (name: string): string => readFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), 'utf8');

// biome-ignore lint/suspicious/noExplicitAny: the shape is what is tested
type Manifest = any;

const documents = parseAllDocuments(read('kubernetes/proxy.yaml'));
const manifest = (kind: string): Manifest =>
  documents.map((document) => document.toJS() as Manifest).find((one) => one.kind === kind);
const pod = manifest('Deployment').spec.template.spec;
const [container] = pod.containers;

describe('kubernetes/proxy.yaml', () => {
  test('has the manifests, without errors', () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    expect(documents.map((document) => (document.toJS() as Manifest).kind)).toEqual([
      'ConfigMap',
      'Deployment',
      'Service',
      'PodDisruptionBudget',
    ]);
  });

  test('selects the pods that it makes', () => {
    const labels = manifest('Deployment').spec.template.metadata.labels;
    const selectors = [
      manifest('Deployment').spec.selector.matchLabels,
      manifest('Service').spec.selector,
      manifest('PodDisruptionBudget').spec.selector.matchLabels,
      pod.topologySpreadConstraints[0].labelSelector.matchLabels,
    ];
    for (const selector of selectors) expect(labels).toMatchObject(selector);
  });

  test('has a configuration that fits the pod', () => {
    const { configuration, warnings } = parseConfiguration(manifest('ConfigMap').data['conf.yaml']);
    const { drainDelaySeconds, gracePeriodSeconds, gracefulShutdownTimeoutSeconds, threads } = configuration;
    expect(warnings).toEqual([]);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(
      drainDelaySeconds + gracePeriodSeconds + gracefulShutdownTimeoutSeconds,
    );
    const { periodSeconds, failureThreshold } = container.readinessProbe;
    expect(drainDelaySeconds).toBeGreaterThanOrEqual(2 * periodSeconds * failureThreshold);
    expect(String(threads)).toBe(container.resources.limits.cpu);
    expect(container.volumeMounts[0].name).toBe(pod.volumes[0].name);
    expect(pod.volumes[0].configMap.name).toBe(manifest('ConfigMap').metadata.name);
    expect(container.args).toContain(`${container.volumeMounts[0].mountPath}/conf.yaml`);
  });

  test('asks the paths that there are, at ports that there are', () => {
    const ports = container.ports.map(({ name }: Manifest) => name);
    const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'].map((name) => container[name].httpGet);
    expect(probes.map(({ path }: Manifest) => path)).toEqual(['/ready', '/ready', '/live']);
    const health = read('src/health.ts');
    for (const { path, port } of probes) {
      expect(health).toContain(`case '${path}':`);
      expect(ports).toContain(port);
    }
    expect(ports).toContain(manifest('Service').spec.ports[0].targetPort);
    for (const { containerPort } of container.ports) expect(container.args).toContain(`0.0.0.0:${containerPort}`);
  });

  test('may do nothing that it does not need', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
  });
});

describe('container/Dockerfile', () => {
  const lines = read('container/Dockerfile').replaceAll('\\\n', '').split('\n');
  const instructions = lines.filter((line) => /^[A-Z]+ /.test(line));
  const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));
  const value = (name: string): string | undefined =>
    last.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);

  test('has instructions and comments only, and two stages', () => {
    expect(lines.filter((line) => line !== '' && !line.startsWith('#') && !instructions.includes(line))).toEqual([]);
    expect(instructions.filter((line) => line.startsWith('FROM '))).toHaveLength(2);
    expect(last.join('\n')).toContain('COPY --from=dependencies');
  });

  test('runs the server as process 1, as the user of the pod', () => {
    expect(JSON.parse(value('ENTRYPOINT') ?? '')).toEqual(['node', 'src/main.ts']);
    expect(value('STOPSIGNAL')).toBe('SIGTERM');
    expect(value('USER')).toBe(`${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`);
    const ports = container.ports.map(({ containerPort }: Manifest) => containerPort);
    expect(value('EXPOSE')).toBe(ports.join(' '));
  });

  test('its health check is a program that works', () => {
    const [, , code] = JSON.parse((value('HEALTHCHECK') ?? '').replace(/^.*?CMD /, '')) as string[];
    expect(code).toContain("fetch('http://127.0.0.1:9090/live')");
    expect(() => new Function(code ?? '')).not.toThrow();
  });
});
