# Runtime python3.14, handler app.handler; libraries beside the code.
pip install --target build --requirement requirements.txt
cp app.py shop_log.py build/
python -m compileall -q --invalidation-mode unchecked-hash build
(cd build && zip -qr -X ../function.zip .)
