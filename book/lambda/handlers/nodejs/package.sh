# Runtime nodejs24.x, handler index.handler; everything in one file.
npx esbuild index.mjs --bundle --minify --platform=node \
  --format=esm --target=node24 --outfile=build/index.mjs
(cd build && zip -q -X ../function.zip index.mjs)
