# Runtime dotnet10, handler Shop (the assembly); once, to Shop.csproj:
dotnet add package Amazon.Lambda.Core
dotnet add package Amazon.Lambda.RuntimeSupport
dotnet add package Amazon.Lambda.Serialization.SystemTextJson
# then each time:
dotnet publish --configuration Release --runtime linux-x64 \
  --self-contained false --output build
(cd build && zip -qr -X ../function.zip .)
