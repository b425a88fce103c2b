# Runtime java25, handler shop.ValidateOrder::handle; libraries in lib/.
javac --release 25 -d build shop/*.java
(cd build && zip -qr -X ../function.zip .)
