// The command `cirque` from the sources of this clone: npm run example -- nginy/cirque run -c examples/nginy/cirque.yaml
await import(new URL('./src/bin.ts', import.meta.resolve('@cirque/cli/package.json')).href);
